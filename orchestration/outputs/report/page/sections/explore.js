/*
 * Costs over time: grouped by anything that the marts have, filtered by all the rest, as stacked bars or a treemap,
 * with the same figures as a table by period. Opening a row filters by it and groups by the next level.
 */

const TOPS = [5, 10, 20];
const LARGEST = 40;
const RESOURCE = "resource_id";
/* Levels below a service, which the bill has and the costs of customers have not, in the order of opening. */
const BELOW = ["usage_type", "sub_account_id", RESOURCE];
const TITLES = {
  usage_type: "Usage type",
  sub_account_id: "Account",
  [RESOURCE]: "Resource",
  customer: "Customer",
  segment: "Segment",
  service_name: "Service",
  allocation_kind: "Kind of allocation",
  unallocated_reason: "Reason unallocated",
};

function columnTitle(column) {
  return TITLES[column] || levelTitle(column);
}

/** What costs can be grouped by, in the order in which one opens them. */
function groupings(costs) {
  const { dimensions } = page.catalog;
  const columns = ["segment", "customer", ...dimensions, "service_name", "allocation_kind", "unallocated_reason"];
  return columns.filter((column) => costs.has(column));
}

/** The elements filtered by, by column; `~` in the address is the element without a name. */
function chosenFilters(costs) {
  const pairs = (page.state.where || "").split(",").filter(Boolean).map((pair) => pair.split(":"));
  const read = (text) => (text === "~" ? null : decodeURIComponent(text));
  const known = pairs.filter(([column]) => column in costs.table.columns && costs.table.columns[column].values);
  return Object.fromEntries(known.map(([column, text = "~"]) => [column, read(text)]));
}

function filtersText(filters) {
  const write = (name) => (name === null ? "~" : encodeURIComponent(name).replace(/~/g, "%7E"));
  const set = Object.entries(filters).filter(([, name]) => name !== undefined);
  return set.map(([column, name]) => `${column}:${write(name)}`).join(",") || null;
}

/** A column's element in words. */
function partName(column, key) {
  if (column === "customer") return page.people.names[key];
  if (column === "allocation_kind") return KINDS[key] || key;
  return elementText(key);
}

/** The state in which a part is opened: filtered by it, and grouped by the next level; null where there is none. */
function openedPart({ by, filters, columns }, key) {
  const fixed = new Set([by, ...Object.keys(filters), ...(page.state.customer ? ["customer"] : [])]);
  const [main] = [...page.catalog.dimensions, "service_name"].filter((column) => columns.includes(column) && !fixed.has(column));
  if (by === "customer") {
    const nobody = key === page.people.nobody;
    return { customer: page.people.ids[key], by: nobody ? "unallocated_reason" : main || "allocation_kind" };
  }
  if (by === "segment") return key ? { segment: key, by: "customer" } : null;
  const where = filtersText({ ...filters, [by]: key });
  // A service of the whole bill opens into what the bill has below it; of a part of the costs, it cannot.
  const ofBill = BELOW.includes(by) || (by === "service_name" && fixed.size === 1 && !page.state.segment);
  if (by === RESOURCE) return null;
  const below = BELOW.find((column) => columns.includes(column) && !fixed.has(column));
  if (ofBill && below) return { where, by: below };
  return { where, by: main || (page.state.customer ? "allocation_kind" : "customer") };
}

const OF_BILL = "Below services, figures are those of the whole bill, by month: the filters by customer, segment and dimension do not apply.";

/** Costs of the bill by a level below services, for the whole months that have it; null where there is none. */
async function billCosts(by) {
  const found = await facts(by === RESOURCE ? "resources" : "services");
  if (!found || !found.rows) return null;
  const months = wholeMonths(page.range);
  const first = found.period.reduce((least, day) => Math.min(least, day));
  const range = { from: Math.max(months.from, first), to: months.to };
  const said = range.from > months.from ? ` Resources are available from ${monthText(first)} on.` : "";
  const shown = { from: Math.max(range.from, page.first), to: Math.min(range.to, page.last) };
  return { facts: found, range, shown, daily: false, note: OF_BILL + said };
}

/** What the address asks for, summed by group and period. */
async function explored() {
  const { people, state } = page;
  const usualCosts = await costsIn(page.range);
  const below = [];
  for (const column of BELOW) if (await billCosts(column)) below.push(column);
  const ofBill = below.includes(state.by);
  const chosen = ofBill ? await billCosts(state.by) : { shown: page.range, ...usualCosts };
  const { facts: costs } = chosen;
  const columns = [...groupings(usualCosts.facts), ...below];
  const filters = chosenFilters(costs);
  const customer = ofBill ? undefined : people.number(state.customer);
  const usual = customer === undefined ? "customer" : costs.has(mainLevel()) ? mainLevel() : "allocation_kind";
  const by = columns.includes(state.by) ? state.by : usual;
  const customers = people.ofSegment(state.segment);
  if (!state.segment) customers[people.nobody] = 1;
  const whose = customer === undefined ? { customers } : { customer };
  const wanted = { where: filters, ...(ofBill ? {} : whose) };
  const months = monthStart(page.range.from) < monthStart(page.range.to);
  const daily = chosen.daily && state.as !== "treemap" && (state.grain ? state.grain === "daily" : !months);
  const sums = costs.sum({ ...wanted, range: chosen.range }, [by, "period"]);
  return { chosen, columns, filters, customer, by, wanted, daily, ...pivot(sums, by, daily) };
}

/** Sums by group and period as rows with a cell for each period, the largest first. */
function pivot(sums, by, daily) {
  const rows = new Map();
  const periods = new Set();
  const all = { name: "Total", cells: new Map(), total: 0n };
  for (const { keys: [key, day], units } of sums) {
    const period = daily ? day : monthStart(day);
    periods.add(period);
    if (!rows.has(key)) rows.set(key, { key, name: partName(by, key), cells: new Map(), total: 0n });
    for (const row of [rows.get(key), all]) {
      row.cells.set(period, (row.cells.get(period) || 0n) + units);
      row.total += units;
    }
  }
  const sorted = [...rows.values()].sort((a, b) => compare(b.total, a.total) || compare(a.name, b.name));
  return { rows: sorted, periods: [...periods].sort((a, b) => a - b), all };
}

/** The largest rows and the others as one. */
function largest(rows, most) {
  const kept = rows.slice(0, most);
  const rest = rows.slice(most);
  if (!rest.length) return kept;
  const other = { name: `Other (${GROUPED.format(rest.length)})`, cells: new Map(), total: total(rest.map((row) => row.total)) };
  for (const row of rest) for (const [period, units] of row.cells) other.cells.set(period, (other.cells.get(period) || 0n) + units);
  return [...kept, other];
}

/** The two newest months that are whole, to compare; fewer where there are none. */
function comparedMonths({ periods, daily }) {
  return daily ? [] : periods.filter((period) => monthEnd(period) <= page.last && period >= page.first).slice(-2);
}

/** Costs in the period before, by key; null where it is not in the report, or not in the same detail. */
async function costsBefore({ chosen, wanted, by }) {
  const earlier = earlierRange(page.range);
  const past = earlier && !BELOW.includes(by) ? await costsIn(earlier) : null;
  if (!past || past.daily !== chosen.daily) return null;
  const sums = past.facts.sum({ ...wanted, range: past.range }, [by]);
  return { range: earlier, costs: new Map(sums.map(({ keys, units }) => [keys[0], units])), all: total(sums.map(({ units }) => units)) };
}

/** How many parts are shown apart: as chosen, else what a legend on this screen has room for. */
function usualTop() {
  return page.state.top || `${matchMedia("(max-width: 640px)").matches ? TOPS[0] : TOPS[1]}`;
}

function timeChart(found, order) {
  const rows = largest(found.rows, Number(usualTop()));
  const sums = rows.flatMap((row) => [...row.cells].map(([period, units]) => ({ keys: [row.name, period], units })));
  // An element has the same colour everywhere; what is ranked has that of its rank, and the others are grey.
  const names = order.length ? order.map(elementText) : rows.map((row) => row.name);
  const { traces } = stacked(sums, names, found.daily);
  const other = traces.find(({ name }) => name.startsWith("Other ("));
  if (other) other.marker.color = colour("line");
  return { traces, layout: { xaxis: found.daily ? { type: "date" } : monthAxis(found.periods.length), yaxis: { title: { text: page.currency } } } };
}

/** A colour between grey and that of a rise or a fall; Plotly reads no color-mix, a canvas does. */
function changeColour(percent, canvas) {
  const strength = percent ? Math.min(Math.sqrt(Math.abs(percent) / 30), 1) : 0;
  canvas.fillStyle = `color-mix(in oklab, ${colour(percent > 0 ? "tile-1" : "tile-2")} ${Math.round(strength * 100)}%, ${colour("tile-7")})`;
  canvas.fillRect(0, 0, 1, 1);
  return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).join(",")})`;
}

/** Tiles as large as costs, coloured by their change. */
function treemap(shown, before) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const changes = shown.map((row) => (before && "key" in row ? changeOf(row.total, before.costs.get(row.key) ?? 0n) : null));
  const amounts = shown.map((row, at) => [`${roughText(row.total)} ${page.currency}`, changes[at] && signedPercent(changes[at])]);
  return {
    traces: [
      {
        type: "treemap",
        ids: shown.map((_, place) => `${place}`),
        // A word a line: a name then fits a narrow tile.
        labels: shown.map((row) => escaped(row.name).replace(/ /g, "<br>")),
        parents: shown.map(() => ""),
        values: shown.map((row) => toNumber(row.total)),
        text: amounts.map((lines) => lines.filter(Boolean).map(escaped).join("<br>")),
        hovertext: shown.map((row) => `${escaped(row.name)}<br>${exactText(row.total)} ${escaped(page.currency)}`),
        hoverinfo: "text",
        texttemplate: "%{label}<br>%{text}",
        marker: { colors: changes.map((percent) => changeColour(percent, canvas)), line: { width: 2, color: colour("card") } },
        pathbar: { visible: false },
        textfont: { color: colour("on-tile"), size: 12 },
        tiling: { pad: 1 },
        sort: false,
      },
    ],
    layout: { margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 9, mode: "hide" } },
  };
}

/** How each row changed: between the two newest whole months, else from the period before. */
function changeColumns(found, before) {
  const [past, now] = comparedMonths(found);
  const cell = (row, period) => row.cells.get(period) ?? 0n;
  const pair = (title, nowOf, pastOf) => [
    moneyColumn(title, (row) => nowOf(row) - pastOf(row)),
    changeColumn("Change, %", (row) => changeOf(nowOf(row), pastOf(row))),
  ];
  if (now !== undefined) return pair(`Change, ${monthText(now)} from ${monthText(past)}`, (row) => cell(row, now), (row) => cell(row, past));
  if (!before) return [];
  const earlier = (row) => ("key" in row ? before.costs.get(row.key) ?? 0n : before.all);
  return pair(`Change from ${rangeText(before.range)}`, (row) => row.total, earlier);
}

function pivotTable(found, before, title, caption) {
  const text = found.daily ? dayText : monthText;
  return grid({
    caption,
    rows: found.rows,
    footer: found.all,
    columns: [
      {
        title,
        value: (row) => row.name,
        show: (row) => {
          const open = "key" in row && openedPart(found, row.key);
          return open ? el("a", { href: addressOf(open) }, row.name) : el("span", {}, row.name);
        },
      },
      moneyColumn("Total", (row) => row.total),
      shareColumn("Share", (row) => percentOf(row.total, found.all.total)),
      ...changeColumns(found, before),
      ...found.periods.map((period) => moneyColumn(text(period), (row) => row.cells.get(period) ?? 0n)),
    ],
    pageRows: 50,
  });
}

/** A row of choices, each a link. */
function choices(label, name, options, current) {
  const link = ([value, title]) =>
    el("a", { href: addressOf({ [name]: value }), "aria-current": value === current ? "true" : null }, title);
  return el("div.choices", { role: "group", "aria-label": label }, el("span", {}, label), el("span.choice", {}, ...options.map(link)));
}

/** The filters that are set, each a link that takes it away. */
function chips({ filters, customer }) {
  const without = (column) => filtersText(Object.fromEntries(Object.entries(filters).filter(([each]) => each !== column)));
  const set = Object.entries(filters).map(([column, key]) => [column, partName(column, key), { where: without(column) }]);
  if (page.state.segment) set.unshift(["segment", page.state.segment, { segment: null }]);
  if (customer !== undefined) set.unshift(["customer", page.people.names[customer], { customer: null }]);
  if (!set.length) return null;
  const chip = ([column, name, patch]) => {
    const back = { ...patch, by: column };
    return el("a.chip", { href: addressOf(back), "aria-label": `Remove filter ${columnTitle(column)}: ${name}` }, `${columnTitle(column)}: ${name} ×`);
  };
  return el("nav.chips", { "aria-label": "Filters set" }, ...set.map(chip));
}

/** A field for each column that costs can be filtered by. */
function filterFields(found) {
  const { columns, filters, chosen } = found;
  const field = (column) => {
    const values = [...chosen.facts.table.columns[column].values].filter((name) => name !== "").sort();
    const input = el(
      "select",
      { name: `where-${column}`, onchange: () => go({ where: filtersText(input.value === "*" ? { ...filters, [column]: undefined } : { ...filters, [column]: JSON.parse(input.value) }) }) },
      el("option", { value: "*" }, "All"),
      ...values.map((name) => el("option", { value: JSON.stringify(name), selected: filters[column] === name }, partName(column, name)))
    );
    return labelled(columnTitle(column), input);
  };
  const known = columns.filter((column) => column in chosen.facts.table.columns && column !== RESOURCE);
  const fields = known.filter((column) => column !== "customer" && column !== "segment").map(field);
  return el("details.fields", { open: Object.keys(filters).length > 0 }, el("summary", {}, "Filter by more"), el("div.filters", {}, ...fields));
}

section({
  id: "explore",
  title: "Explore",
  filters: ["dates", "segment", "customer"],
  async show(content) {
    const found = await explored();
    const { by, customer, chosen, daily, rows } = found;
    const asTreemap = page.state.as === "treemap";
    const before = await costsBefore(found);
    const tiles = largest(rows, LARGEST).filter((row) => row.total > 0n);
    const order = page.catalog.dimensions.includes(by) && (await spend()).has(by) ? await elementOrder(by) : [];
    const title = columnTitle(by).toLowerCase();
    const what = `Cost by ${title}${asTreemap ? "" : ` and ${daily ? "day" : "month"}`}`;
    const open = (row) => {
      const patch = row && "key" in row && openedPart(found, row.key);
      if (patch) go(patch);
      return false; // the page draws the opened part itself
    };
    const unfinished = !daily && page.range.to === page.last && page.last < monthEnd(page.last);
    append(
      content,
      chosen.note ? note(chosen.note) : null,
      el(
        "div.controls",
        {},
        choices("Group by", "by", found.columns.map((column) => [column, columnTitle(column)]), by),
        choices("Show", "as", [[null, "Over time"], ["treemap", "Treemap"]], asTreemap ? "treemap" : null),
        asTreemap ? null : choices("By", "grain", [["monthly", "Month"], ...(chosen.daily ? [["daily", "Day"]] : [])], daily ? "daily" : "monthly"),
        asTreemap ? null : choices("Largest", "top", TOPS.map((many) => [`${many}`, `${many}`]), usualTop())
      ),
      filterFields(found),
      chips(found),
      block(
        what,
        el(
          "p.lead",
          { id: "explored" },
          money(found.all.total),
          ` ${page.currency}, ${rangeText(chosen.shown)}. `,
          customer === undefined || customer === page.people.nobody ? null : customerLink(customer, "Customer page")
        ),
        unfinished ? note(`${monthText(page.last)} has costs up to ${dayText(page.last)} only; the change compares whole months.`) : null,
        rows.length
          ? chart({
              label: `${what}; the table below has the same figures`,
              height: asTreemap ? 460 : 380,
              caption: asTreemap
                ? before
                  ? `Colour: change from ${rangeText(before.range)}. Orange rose, green fell, full colour from 30 %; grey is new or unchanged.`
                  : "There is no previous period to compare with."
                : null,
              draw: () => (asTreemap ? treemap(tiles, before) : timeChart(found, order)),
              onclick: asTreemap
                ? { plotly_treemapclick: (event) => open(tiles[Number(event.points[0].id)]) }
                : { plotly_click: (event) => open(rows.find((row) => escaped(row.name) === event.points[0].data.name)) },
            })
          : note("No cost in this period."),
        pivotTable(found, before, columnTitle(by), `Cost by ${title}`)
      )
    );
  },
});
