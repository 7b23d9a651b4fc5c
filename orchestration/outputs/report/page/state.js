/*
 * What is looked at, all of it in the address after `#`: a link to it shows the same. Names that are not known
 * are dropped, so that a mistyped address shows something.
 */

const page = {
  /** What the file says of itself: snapshot, days, currencies, dimensions, detail, tables. */
  catalog: null,
  /** The state in the address. */
  state: {},
  /** The days looked at: the state's, or the newest whole month. */
  range: null,
  currency: "",
  sections: [],
};

const STATE = [
  ...["from", "to", "segment", "customer", "currency", "grain", "by", "where", "top", "as"],
  ...["q", "stream", "anomaly", "exact"],
];

/** The state that the address holds. */
function readState() {
  const [view, query = ""] = location.hash.slice(1).split("?");
  const given = new URLSearchParams(query);
  const state = { view: decodeURIComponent(view) || "overview" };
  for (const name of STATE) if (given.get(name)) state[name] = given.get(name);
  return state;
}

/** @returns {string} the address of the present state with some of it changed; null takes a part away */
function addressOf(patch) {
  const state = { ...page.state, ...patch };
  const query = new URLSearchParams();
  for (const name of STATE) if (state[name]) query.set(name, state[name]);
  const text = query.toString();
  return "#" + encodeURIComponent(state.view) + (text ? "?" + text : "");
}

/** Look at something else. `quietly` leaves no step in the history of the browser. */
function go(patch, quietly = false) {
  const address = addressOf(patch);
  if (address === location.hash) return;
  if (quietly) {
    history.replaceState(null, "", address);
    showState();
  } else {
    location.hash = address;
  }
}

/** The newest month that is over and has all its days; all days when no month is whole. */
function usualRange(first, last) {
  const over = last === monthEnd(last) && (page.created === null || page.created > last);
  const end = over ? last : monthStart(last) - 1;
  const start = monthStart(end);
  return start >= first ? { from: start, to: end } : { from: first, to: last };
}

/** Take the state out of the address, and what follows from it. */
function takeState() {
  const { firstDay, lastDay, created, currencies } = page.catalog;
  page.state = readState();
  const { from, to, currency } = page.state;
  page.first = dayOf(firstDay);
  page.last = dayOf(lastDay);
  page.created = created ? dayOf(created.slice(0, 10)) : null;
  const overTime = { from: Math.max(page.first, monthStart(page.last, -12)), to: page.last };
  const usual = page.state.view === "explore" ? overTime : usualRange(page.first, page.last);
  const range = { from: isDay(from) ? dayOf(from) : usual.from, to: isDay(to) ? dayOf(to) : usual.to };
  if (isDay(from) && !isDay(to)) range.to = page.last;
  if (isDay(to) && !isDay(from)) range.from = page.first;
  if (range.from > range.to) [range.from, range.to] = [range.to, range.from];
  range.from = Math.min(Math.max(range.from, page.first), page.last);
  range.to = Math.max(Math.min(range.to, page.last), page.first);
  page.range = range;
  page.currency = currencies.includes(currency) ? currency : currencies[0] || "";
}
