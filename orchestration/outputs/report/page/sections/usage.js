/* What was used and what it cost: unit costs of each stream, and one customer's usage beside the cost it divided. */

const QUANTITY_SCALE = 9;
const UNIT_DIGITS = 10n ** 12n;

/** Cost ÷ usage of sums, cut at twelve digits as in the mart; null where nothing was used. */
function unitCost({ cost, used }) {
  if (!used) return null;
  const cut = (cost * 10n ** BigInt(QUANTITY_SCALE)) / used / UNIT_DIGITS;
  return cut * UNIT_DIGITS;
}

/** How many units a unit cost is shown for, so that it reads well: 1, 1,000 or 1 million. */
function perUnits(one) {
  const tenth = 10n ** BigInt(MONEY_SCALE - 1);
  const size = one < 0n ? -one : one;
  return [1n, 1000n].find((many) => size * many >= tenth) || (size ? 1000000n : 1n);
}

/** "1,000 queries"; a unit such as GiB or GB-hour has no plural. */
function perText(many, unit) {
  if (many === 1n) return unit;
  const plural = /[A-Z\d]|s$/.test(unit) ? unit : unit.replace(/([^aeiou])y$/, "$1ie") + "s";
  return `${many === 1000000n ? "1 million" : GROUPED.format(many)} ${plural}`;
}

/** Sums of the mart's rows by what `keyOf` says, each with its rows' first one. */
function usageSums(rows, keyOf) {
  const sums = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    const sum = sums.get(key) || { first: row, cost: 0n, used: 0n, customers: 0 };
    sum.cost += row.effective_cost ?? 0n;
    sum.used += row.usage_quantity ?? 0n;
    sum.customers += row.customer_count;
    sums.set(key, sum);
  }
  return [...sums.values()];
}

async function unitCosts() {
  const units = await table("unit_costs");
  if (!units) return [];
  return units.objects((row) => units.value("billing_currency", row) === page.currency);
}

/** Bars of what was used, and a line of what it cost. */
function usageAndCost(x, used, line, unit, scale) {
  return {
    traces: [
      {
        type: "bar",
        x,
        y: used.map((units) => toNumber(units, scale)),
        hovertext: used.map((units) => `${exactText(units, scale)} ${escaped(unit)}`),
        hoverinfo: "x+text",
        marker: { color: seriesColour(1), opacity: 0.6 },
        yaxis: "y2",
      },
      {
        type: "scatter",
        mode: x.length < 40 ? "lines+markers" : "lines",
        x,
        y: line.amounts.map((units) => (units === null ? null : toNumber(units))),
        hovertext: exactHover(line.name, line.amounts.map((units) => units ?? 0n)),
        hoverinfo: "x+text",
        line: { color: seriesColour(0), width: 2.5 },
      },
    ],
    layout: {
      showlegend: false,
      xaxis: { type: "date", anchor: "y2" },
      yaxis: { domain: [0.45, 1], rangemode: "tozero", title: { text: page.currency } },
      yaxis2: { domain: [0, 0.35], rangemode: "tozero", title: { text: unit } },
    },
  };
}

function usedColumn(value, unit, scale) {
  return {
    title: `Used, ${unit}`,
    value,
    show: (row) => quantity(value(row), scale, unit),
    csv: (row) => exactText(value(row), scale),
    figure: true,
  };
}

/** Each segment's unit cost by month until the days looked at, that of all customers last, and how it changed. */
function unitSegments(rows, stream, many, unit) {
  const all = [...new Set(rows.map((row) => monthStart(row.usage_date)))].sort((a, b) => a - b);
  const months = all.slice(-13);
  const lineOf = (segment, of) => {
    const by = usageSums(of, (row) => monthStart(row.usage_date));
    const cost = (month) => {
      const one = unitCost(by.find(({ first }) => monthStart(first.usage_date) === month) || { cost: 0n, used: 0n });
      return one === null ? null : one * many;
    };
    return { segment, cost };
  };
  const segments = [...new Set(rows.map((row) => row.segment))].sort();
  const [before, now] = months.filter((month) => monthEnd(month) <= page.last).slice(-2);
  return grid({
    caption: `Unit cost of ${stream} by segment`,
    rows: segments.map((segment) => lineOf(segment, rows.filter((row) => row.segment === segment))),
    footer: lineOf("All customers", rows),
    columns: [
      { title: "Segment", value: (row) => row.segment },
      ...months.map((month) => moneyColumn(monthText(month), (row) => row.cost(month))),
      ...(now === undefined
        ? []
        : [changeColumn(`${monthText(now)} from ${monthText(before)}`, (row) => changeOf(row.cost(now) ?? 0n, row.cost(before)))]),
    ],
    note: `Cost per ${perText(many, unit)}, by month.`,
  });
}

function unitBlock(stream, known) {
  const { range } = page;
  const rows = known.filter((row) => row.usage_date >= range.from && row.usage_date <= range.to);
  const { unit } = known[0];
  const days = usageSums(rows, (row) => row.usage_date).sort((a, b) => a.first.usage_date - b.first.usage_date);
  const many = perUnits(unitCost(usageSums(known, () => 0)[0]) ?? 0n);
  const per = perText(many, unit);
  const shownCost = (sum) => (unitCost(sum) === null ? null : unitCost(sum) * many);
  return block(
    `${levelTitle(stream)}: cost per ${per}`,
    chart({
      label: `Unit cost and usage of ${stream} by day`,
      height: 280,
      draw: () => {
        const line = { name: `per ${per}`, amounts: days.map(shownCost) };
        const used = days.map((day) => day.used);
        return usageAndCost(days.map(({ first }) => dayText(first.usage_date)), used, line, unit, QUANTITY_SCALE);
      },
      figures: () =>
        grid({
          caption: `Unit cost of ${stream}`,
          rows: days,
          sort: 0,
          descending: true,
          columns: [
            dayColumn("Day", ({ first }) => dayText(first.usage_date)),
            usedColumn((day) => day.used, unit, QUANTITY_SCALE),
            { title: "Customers", value: (day) => day.customers, figure: true },
            moneyColumn("Cost", (day) => day.cost),
            moneyColumn(`Cost per ${per}`, shownCost),
          ],
        }),
    }),
    unitSegments(known, stream, many, unit)
  );
}

section({
  id: "units",
  title: "Unit costs",
  filters: ["dates", "segment"],
  async show(content) {
    const until = monthEnd(page.range.to);
    const { segment } = page.state;
    const rows = (await unitCosts()).filter((row) => row.usage_date <= until && (!segment || row.segment === segment));
    const streams = [...new Set(rows.map((row) => row.stream))];
    if (!streams.length) {
      append(
        content,
        block(
          "Unit costs",
          note(
            "No cost was divided by usage in this period. Define a stream in contexts/streams.yml, send its usage, ",
            "and allocate cost by it in contexts/allocation.yml."
          )
        )
      );
      return;
    }
    const beside = append(content, el("div.beside")).lastChild;
    for (const stream of streams) append(beside, unitBlock(stream, rows.filter((row) => row.stream === stream)));
  },
});

/** One customer's usage of a stream by period, beside the cost that this stream divided and what one unit cost all. */
async function usageRows(wanted, used, costs, stream, units) {
  const days = new Map();
  const at = (day) => {
    if (!days.has(day)) days.set(day, { day, cost: 0n, used: 0n, one: units.get(day) ?? null });
    return days.get(day);
  };
  const where = { stream };
  for (const { keys, units: cost } of costs ? costs.sum({ ...wanted, where }, ["period"]) : []) at(keys[0]).cost = cost;
  for (const { keys, units: quantity } of used.sum({ ...wanted, where }, ["period"])) at(keys[0]).used = quantity;
  return [...days.values()].sort((a, b) => a.day - b.day);
}

/** A customer's usage against its cost, a stream at a time; null where the snapshot has no usage. */
async function usageBlock(number, chosen) {
  const newest = chosen.daily && page.catalog.detail.grain === "month" ? "newest_" : "";
  const used = await facts(`${newest}usage`, { amount: "usage_quantity" });
  if (!used || number === page.people.nobody) return null;
  const wanted = { range: chosen.range, customer: number };
  const streams = used.sum(wanted, ["stream"]).map(({ keys }) => keys[0]);
  if (!streams.length) return block("Usage and cost", note("No usage of this customer in this period."));
  const costs = await facts(`${newest}usage_costs`);
  const stream = streams.includes(page.state.stream) ? page.state.stream : streams[0];
  const [{ keys: [unit] }] = used.sum({ ...wanted, where: { stream } }, ["unit"]);
  const known = (await unitCosts()).filter((row) => row.stream === stream);
  // Of months where the customer's figures are those of months.
  const dayOrMonth = (row) => (chosen.daily ? row.usage_date : monthStart(row.usage_date));
  const units = new Map(usageSums(known, dayOrMonth).map((sum) => [dayOrMonth(sum.first), unitCost(sum)]));
  const rows = await usageRows(wanted, used, costs, stream, units);
  const { scale } = used.amount;
  const text = (day) => (chosen.daily ? dayText(day) : monthText(day));
  const choice = (each) =>
    el("a", { href: addressOf({ stream: each }), "aria-current": each === stream ? "true" : null }, each);
  return block(
    "Usage and cost",
    el("p.choice", {}, ...streams.map(choice)),
    chart({
      label: `${stream} used by ${page.people.names[number]}, and the cost that ${stream} divided`,
      height: 290,
      caption: `Only the cost that ${stream} divided; cost divided by other streams is in their tabs.`,
      draw: () => {
        const line = { name: "cost", amounts: rows.map((row) => row.cost) };
        return usageAndCost(rows.map((row) => dayText(row.day)), rows.map((row) => row.used), line, unit, scale);
      },
      figures: () =>
        grid({
          caption: `${stream} used, and cost`,
          rows,
          columns: [
            dayColumn(chosen.daily ? "Day" : "Month", (row) => text(row.day)),
            usedColumn((row) => row.used, unit, scale),
            moneyColumn(`Cost divided by ${stream}`, (row) => row.cost),
            moneyColumn(`Cost per ${unit}, all customers`, (row) => row.one),
          ],
        }),
    })
  );
}
