/* The segments side by side: how many customers, what they cost on average, and what their cost is made of. */

async function segmentMonths() {
  const months = new Map();
  for (const name of page.people.segmentNames) {
    const rows = (await averagesOf("monthly", name)).filter((row) => row.period_start <= page.range.to);
    if (rows.length) months.set(name, rows);
  }
  return months;
}

function segmentTable(months) {
  const rows = [...months].map(([segment, all]) => ({ segment, now: all.at(-1), before: all.at(-2) || null }));
  return grid({
    caption: "Segments in their latest month",
    rows,
    sort: 4,
    descending: true,
    columns: [
      {
        title: "Segment",
        value: (row) => row.segment,
        show: (row) => el("a", { href: addressOf({ view: "customers", segment: row.segment }) }, row.segment),
      },
      dayColumn("Month", (row) => monthText(row.now.period_start)),
      { title: "Customers", value: (row) => row.now.customer_count, figure: true },
      moneyColumn("Total", (row) => row.now.total_cost),
      moneyColumn("Mean", (row) => row.now.mean_cost),
      changeColumn("Mean, change", (row) =>
        row.before ? changeOf(row.now.mean_cost, row.before.mean_cost) : null
      ),
      moneyColumn("Median", (row) => row.now.median_cost),
      moneyColumn("90th percentile", (row) => row.now.p90_cost),
      {
        ...shareColumn("Share of costliest tenth", (row) =>
          row.now.top_10_percent_share === null ? null : percentOf(row.now.top_10_percent_share, 10n ** BigInt(MONEY_SCALE))
        ),
      },
    ],
  });
}

function segmentTrend(months, names) {
  const traces = [...months].map(([segment, rows]) => ({
    type: "scatter",
    mode: "lines+markers",
    name: escaped(segment),
    x: rows.map((row) => dayText(row.period_start)),
    y: rows.map((row) => toNumber(row.mean_cost)),
    hovertext: exactHover(segment, rows.map((row) => row.mean_cost)),
    hoverinfo: "x+text",
    line: { color: seriesColour(names.indexOf(segment)), width: 2.5 },
  }));
  return { traces, layout: { xaxis: monthAxis(Math.max(...[...months.values()].map((rows) => rows.length))), yaxis: { rangemode: "tozero", title: { text: page.currency } } } };
}

/** What each segment's cost is made of, in the days looked at. */
async function segmentMix() {
  const level = mainLevel();
  const order = await elementOrder(level);
  const sums = (await spend()).sum({ range: page.range }, ["segment", level]).filter(({ keys }) => keys[0]);
  const totals = new Map();
  for (const { keys, units } of sums) totals.set(keys[0], (totals.get(keys[0]) || 0n) + units);
  const segments = [...totals.keys()].sort((a, b) => compare(totals.get(a), totals.get(b)));
  const traces = () =>
    order.flatMap((name, place) => {
      const parts = segments.map((segment) => sums.find(({ keys }) => keys[0] === segment && keys[1] === name));
      if (!parts.some(Boolean)) return [];
      return {
        type: "bar",
        orientation: "h",
        name: escaped(elementText(name)),
        y: segments.map(escaped),
        x: parts.map((part, at) => (part ? percentOf(part.units, totals.get(segments[at])) : 0)),
        hovertext: parts.map((part) => (part ? `${escaped(elementText(name))}<br>${exactText(part.units)} ${page.currency}` : "")),
        hoverinfo: "text",
        marker: { color: seriesColour(place) },
      };
    });
  return block(
    `Cost breakdown by ${levelTitle(level).toLowerCase()}`,
    chart({
      label: `Share of each ${level} in the cost of each segment, ${rangeText(page.range)}`,
      height: 120 + 50 * segments.length,
      draw: () => ({ traces: traces(), layout: { xaxis: { ticksuffix: " %", showgrid: true }, yaxis: { type: "category" } } }),
      figures: () =>
        grid({
          caption: `Cost of segments by ${level}`,
          rows: sums,
          columns: [
            { title: "Segment", value: ({ keys }) => keys[0] },
            { title: levelTitle(level), value: ({ keys }) => elementText(keys[1]) },
            moneyColumn("Cost", ({ units }) => units),
            shareColumn("Share", ({ keys, units }) => percentOf(units, totals.get(keys[0]))),
          ],
        }),
    })
  );
}

section({
  id: "segments",
  title: "Segments",
  filters: ["dates"],
  async show(content) {
    const months = await segmentMonths();
    if (!months.size) {
      append(content, block("Segments", note("No customer had any cost by then.")));
      return;
    }
    append(
      content,
      block("Comparison", segmentTable(months)),
      block(
        "Average cost per customer by segment",
        chart({
          label: "Mean cost per customer by segment and month",
          height: 320,
          draw: () => segmentTrend(months, page.people.segmentNames),
          figures: () =>
            grid({
              caption: "Mean cost per customer by segment and month",
              rows: [...months.values()].flat(),
              columns: [
                dayColumn("Month", (row) => monthText(row.period_start)),
                { title: "Segment", value: (row) => row.segment },
                { title: "Customers", value: (row) => row.customer_count, figure: true },
                moneyColumn("Mean", (row) => row.mean_cost),
              ],
            }),
        })
      ),
      await segmentMix(),
      await segmentMargins()
    );
  },
});
