/*
 * Customers, and what their cost is made of, as a treemap that is opened by a click: customer, then the chosen
 * dimensions, then service. The table beside it says the same and opens the same.
 */

const LARGEST = 40;
const OTHERS = "…";

/** The levels below the customer, as chosen in the address or as usual. */
function chosenLevels(facts, customer) {
  const { dimensions } = page.catalog;
  const wanted = page.state.levels === undefined ? dimensions.slice(0, 2) : page.state.levels.split(",");
  const levels = dimensions.filter((name) => wanted.includes(name) && facts.has(name));
  const first = customer === page.people.nobody ? ["unallocated_reason"] : [];
  return [...first, ...levels, ...(facts.has("service_name") ? ["service_name"] : [])];
}

/** The elements that have been opened below the customer; `~` is the one without a name. */
function openedPath() {
  if (page.state.at === undefined) return [];
  return page.state.at.split("/").map((part) => (part === "~" ? null : decodeURIComponent(part)));
}

function pathText(path) {
  const parts = path.map((name) => (name === null ? "~" : encodeURIComponent(name).replace(/~/g, "%7E")));
  return parts.length ? parts.join("/") : null;
}

/**
 * What lies at the opened place: its parts, and theirs.
 * @returns {{parts: Array, level: string, below: Map}} a part is `name`, `units`, and what opening it changes
 */
function partsAt(chosen, customer, path, levels) {
  const { facts: costs, range } = chosen;
  if (customer === undefined) return customersAt(costs, range, levels);
  const where = Object.fromEntries(path.map((name, depth) => [levels[depth], name]));
  const level = levels[path.length];
  const next = levels[path.length + 1];
  if (level === undefined) return { parts: [], level: null, below: new Map() };
  const sums = costs.sum({ range, customer, where }, next ? [level, next] : [level]);
  return grouped(sums, level, (name) => ({
    name: elementText(name),
    open: next ? { at: pathText([...path, name]) } : null,
  }));
}

/** The costliest customers, and the others together. */
function customersAt(costs, range, levels) {
  const mask = page.people.ofSegment(page.state.segment);
  if (!page.state.segment) mask[page.people.nobody] = 1;
  const sums = costs.sum({ range, customers: mask }, levels.length ? ["customer", levels[0]] : ["customer"]);
  const found = grouped(sums, "customer", (number) => ({
    name: page.people.names[number],
    number,
    open: { customer: page.people.ids[number], at: null },
  }));
  const kept = found.parts.slice(0, LARGEST);
  const rest = found.parts.slice(LARGEST);
  if (rest.length) {
    kept.push({
      name: `${GROUPED.format(rest.length)} other customers`,
      units: total(rest.map((part) => part.units)),
      key: OTHERS,
      open: { view: "customers" },
    });
  }
  return { ...found, parts: kept };
}

function grouped(sums, level, partOf) {
  const parts = new Map();
  const below = new Map();
  for (const { keys, units } of sums) {
    const part = parts.get(keys[0]) || { ...partOf(keys[0]), key: keys[0], units: 0n };
    part.units += units;
    parts.set(keys[0], part);
    if (keys.length > 1) below.set(keys[0], [...(below.get(keys[0]) || []), { name: elementText(keys[1]), units }]);
  }
  const sorted = [...parts.values()].sort((a, b) => compare(b.units, a.units));
  return { parts: sorted, level, below };
}

function treemap({ parts, below }, title) {
  const ids = ["all"];
  // A header shows its label only, so that the label holds the amount too.
  const labels = [""];
  const parents = [""];
  const values = [0];
  const texts = [escaped(title)];
  const colours = ["rgba(0,0,0,0)"];
  parts.forEach((part, place) => {
    // Credits have no area; the table has them.
    if (part.units <= 0n) return;
    const inner = (below.get(part.key) || []).filter((each) => each.units > 0n);
    const whole = inner.length > 1;
    ids.push(`${place}`);
    labels.push(`${escaped(part.name)}${whole ? " · " : "<br>"}${roughText(part.units)}`);
    parents.push("all");
    values.push(whole ? 0 : toNumber(part.units));
    texts.push(`${escaped(part.name)}<br>${exactText(part.units)} ${escaped(page.currency)}`);
    colours.push(tileColour(place));
    if (!whole) return;
    inner.forEach((each, at) => {
      ids.push(`${place}/${at}`);
      labels.push(escaped(each.name));
      parents.push(`${place}`);
      values.push(toNumber(each.units));
      texts.push(`${escaped(each.name)}<br>${exactText(each.units)} ${escaped(page.currency)}`);
      colours.push(tileColour(place));
    });
  });
  return {
    traces: [
      {
        type: "treemap",
        ids,
        labels,
        parents,
        values,
        text: texts,
        hovertemplate: "%{text}<extra></extra>",
        textinfo: "label",
        marker: { colors: colours, line: { width: 1.5, color: colour("card") }, pad: { t: 20, l: 2, r: 2, b: 2 } },
        pathbar: { visible: false },
        root: { color: "rgba(0,0,0,0)" },
        textfont: { color: colour("on-tile"), size: 13 },
        tiling: { pad: 1 },
        sort: false,
      },
    ],
    layout: { margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 10, mode: "hide" } },
  };
}

/** Where one is, each step of it a way back. */
function breadcrumbs(customer, path, levels) {
  const steps = [["All customers", { customer: null, at: null }]];
  if (customer !== undefined) steps.push([page.people.names[customer], { at: null }]);
  path.forEach((name, depth) => steps.push([elementText(name), { at: pathText(path.slice(0, depth + 1)) }]));
  return el(
    "nav.crumbs",
    { "aria-label": "Location" },
    el(
      "ol",
      {},
      ...steps.map(([title, patch], place) =>
        el(
          "li",
          {},
          place === steps.length - 1
            ? el("span", { "aria-current": "location" }, title)
            : el("a", { href: addressOf(patch) }, title)
        )
      )
    )
  );
}

function levelsChoice(facts) {
  const available = page.catalog.dimensions.filter((name) => facts.has(name));
  if (available.length < 2) return null;
  const chosen = chosenLevels(facts);
  const box = (name) =>
    el(
      "label",
      {},
      el("input", {
        type: "checkbox",
        name: "level-" + name,
        checked: chosen.includes(name),
        onchange: (event) => {
          const kept = available.filter((each) => (each === name ? event.target.checked : chosen.includes(each)));
          go({ levels: kept.join(",") || "none", at: null });
        },
      }),
      ` ${levelTitle(name)}`
    );
  return el("fieldset.levels", {}, el("legend", {}, "Break customers down by"), ...available.map(box));
}

section({
  id: "explore",
  title: "Explore",
  filters: ["dates", "segment", "customer"],
  async show(content) {
    const chosen = await costsIn(page.range);
    const customer = page.people.number(page.state.customer);
    const levels = chosenLevels(chosen.facts, customer);
    const path = customer === undefined ? [] : openedPath().slice(0, levels.length);
    const found = partsAt(chosen, customer, path, levels);
    const all = total(found.parts.map((part) => part.units));
    const title = path.length ? elementText(path.at(-1)) : customer === undefined ? "All customers" : page.people.names[customer];
    const by = found.level === "customer" ? "customer" : found.level && levelTitle(found.level).toLowerCase();
    const open = (event) => {
      const place = String(event.points[0].id).split("/")[0];
      const part = found.parts[Number(place)];
      if (place !== "all" && part?.open) go(part.open);
      return false; // the page draws the opened place itself
    };
    append(
      content,
      chosen.note ? note(chosen.note) : null,
      levelsChoice(chosen.facts),
      breadcrumbs(customer, path, levels),
      block(
        title,
        el(
          "p.lead",
          { id: "explored" },
          money(all),
          ` ${page.currency}, ${rangeText(page.range)}${by ? `, by ${by}` : ""}. `,
          customer === undefined || customer === page.people.nobody ? null : customerLink(customer, "Customer page")
        ),
        found.parts.length
          ? chart({
              label: `Treemap of the cost of ${title}${by ? ` by ${by}` : ""}; the table below has the same parts`,
              height: 460,
              draw: () => treemap(found, title),
              onclick: { plotly_treemapclick: open },
            })
          : note("No cost in this period."),
        grid({
          caption: `Cost of ${title}${by ? ` by ${by}` : ""}`,
          rows: found.parts,
          columns: [
            {
              title: by ? by[0].toUpperCase() + by.slice(1) : "Part",
              value: (part) => part.name,
              show: (part) => (part.open ? el("a", { href: addressOf(part.open) }, part.name) : el("span", {}, part.name)),
            },
            moneyColumn("Cost", (part) => part.units),
            shareColumn("Share", (part) => percentOf(part.units, all)),
          ],
          pageRows: 50,
        })
      )
    );
  },
});
