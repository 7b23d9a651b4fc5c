/* What was used: unit costs of each stream, and one customer's usage beside what it cost. */

const QUANTITY_SCALE = 9;

async function unitCosts() {
  const units = await table("unit_costs");
  return units.objects((row) => units.value("billing_currency", row) === page.currency);
}

/** A line over days for each stream, its unit cost. */
function unitChart(rows) {
  const kept = rows.filter((row) => row.effective_unit_cost !== null);
  return {
    traces: [
      {
        type: "scatter",
        mode: kept.length < 40 ? "lines+markers" : "lines",
        x: kept.map((row) => dayText(row.usage_date)),
        y: kept.map((row) => toNumber(row.effective_unit_cost)),
        hovertext: exactHover(`per ${kept[0]?.unit}`, kept.map((row) => row.effective_unit_cost)),
        hoverinfo: "x+text",
        line: { color: seriesColour(0), width: 2 },
      },
      {
        type: "bar",
        x: rows.map((row) => dayText(row.usage_date)),
        y: rows.map((row) => (row.usage_quantity === null ? null : toNumber(row.usage_quantity, QUANTITY_SCALE))),
        hovertext: rows.map((row) =>
          row.usage_quantity === null ? "" : `${exactText(row.usage_quantity, QUANTITY_SCALE)} ${escaped(row.unit)}`
        ),
        hoverinfo: "x+text",
        marker: { color: seriesColour(1), opacity: 0.6 },
        yaxis: "y2",
      },
    ],
    layout: {
      showlegend: false,
      xaxis: { type: "date", anchor: "y2" },
      yaxis: { domain: [0.45, 1], rangemode: "tozero", exponentformat: "none", title: { text: "unit cost" } },
      yaxis2: { domain: [0, 0.35], rangemode: "tozero", title: { text: "used" } },
    },
  };
}

function unitTable(rows, caption) {
  return grid({
    caption,
    rows,
    sort: 0,
    descending: true,
    columns: [
      dayColumn("Day", (row) => dayText(row.usage_date)),
      {
        title: "Used",
        value: (row) => row.usage_quantity,
        show: (row) => quantity(row.usage_quantity, QUANTITY_SCALE, row.unit),
        csv: (row) => (row.usage_quantity === null ? "" : exactText(row.usage_quantity, QUANTITY_SCALE)),
        figure: true,
      },
      { title: "Customers", value: (row) => row.customer_count, figure: true },
      moneyColumn("Cost", (row) => row.effective_cost),
      moneyColumn("Unit cost", (row) => row.effective_unit_cost),
    ],
  });
}

section({
  id: "units",
  title: "Unit costs",
  filters: ["dates"],
  async show(content) {
    const { range } = page;
    const rows = (await unitCosts()).filter((row) => row.usage_date >= range.from && row.usage_date <= range.to);
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
    for (const stream of streams) {
      const of = rows.filter((row) => row.stream === stream);
      append(
        beside,
        block(
          `${levelTitle(stream)}: cost per ${of[0].unit}`,
          chart({
            label: `Unit cost and usage of ${stream} by day`,
            height: 280,
            draw: () => unitChart(of),
            figures: () => unitTable(of, `Unit cost of ${stream}`),
          })
        )
      );
    }
  },
});

/** One customer's usage of a stream by period, beside its cost by measured usage and what one unit cost. */
async function usageRows(number, chosen, used, stream, units) {
  const days = new Map();
  const at = (day) => {
    if (!days.has(day)) days.set(day, { day, cost: 0n, used: 0n, one: units.get(day)?.effective_unit_cost ?? null });
    return days.get(day);
  };
  const costs = { range: chosen.range, customer: number, where: { allocation_kind: "usage" } };
  for (const { keys, units: cost } of chosen.facts.sum(costs, ["period"])) at(keys[0]).cost = cost;
  const quantities = used.sum({ range: chosen.range, customer: number, where: { stream } }, ["period"]);
  for (const { keys, units: quantity } of quantities) at(keys[0]).used = quantity;
  return [...days.values()].sort((a, b) => a.day - b.day);
}

function usageChart(rows, stream, unit, scale) {
  const x = rows.map((row) => dayText(row.day));
  return {
    traces: [
      {
        type: "bar",
        name: escaped(`${stream} used`),
        x,
        y: rows.map((row) => toNumber(row.used, scale)),
        hovertext: rows.map((row) => `${exactText(row.used, scale)} ${escaped(unit)}`),
        hoverinfo: "x+text",
        marker: { color: seriesColour(1), opacity: 0.6 },
      },
      {
        type: "scatter",
        mode: rows.length < 40 ? "lines+markers" : "lines",
        name: "Usage-based cost",
        x,
        y: rows.map((row) => toNumber(row.cost)),
        hovertext: exactHover("usage-based cost", rows.map((row) => row.cost)),
        hoverinfo: "x+text",
        line: { color: seriesColour(0), width: 2.5 },
        yaxis: "y2",
      },
    ],
    layout: {
      xaxis: { type: "date" },
      yaxis: { rangemode: "tozero", title: { text: "used" } },
      yaxis2: { overlaying: "y", side: "right", rangemode: "tozero", showgrid: false, title: { text: "cost" } },
    },
  };
}

/** A customer's usage against its cost, a stream at a time; null where the snapshot has no usage. */
async function usageBlock(number, chosen) {
  const byMonth = page.catalog.detail.grain === "month";
  const used = await facts(chosen.daily && byMonth ? "newest_usage" : "usage", { amount: "usage_quantity" });
  if (!used || number === page.people.nobody) return null;
  const streams = used.sum({ range: chosen.range, customer: number }, ["stream"]).map(({ keys }) => keys[0]);
  if (!streams.length) {
    return block("Usage and cost", note("No usage of this customer in this period."));
  }
  const stream = streams.includes(page.state.stream) ? page.state.stream : streams[0];
  const ofStream = (await unitCosts()).filter((row) => row.stream === stream);
  const [{ keys: [unit] }] = used.sum({ range: chosen.range, customer: number, where: { stream } }, ["unit"]);
  // What one unit cost is known by the day.
  const units = new Map(chosen.daily ? ofStream.map((row) => [row.usage_date, row]) : []);
  const rows = await usageRows(number, chosen, used, stream, units);
  const { scale } = used.amount;
  const choice = (each) =>
    el("a", { href: addressOf({ stream: each }), "aria-current": each === stream ? "true" : null }, each);
  return block(
    "Usage and cost",
    el("p.choice", {}, ...streams.map(choice)),
    chart({
      label: `${stream} used by ${page.people.names[number]}, and its usage-based cost`,
      height: 290,
      draw: () => usageChart(rows, stream, unit, scale),
      figures: () =>
        grid({
          caption: `${stream} used, and cost`,
          rows,
          columns: [
            dayColumn(chosen.daily ? "Day" : "Month", (row) => dayText(row.day)),
            {
              title: "Used",
              value: (row) => row.used,
              show: (row) => quantity(row.used, scale, unit),
              csv: (row) => exactText(row.used, scale),
              figure: true,
            },
            moneyColumn("Usage-based cost", (row) => row.cost),
            ...(units.size ? [moneyColumn(`Cost per ${unit}, all customers`, (row) => row.one)] : []),
          ],
        }),
    })
  );
}
