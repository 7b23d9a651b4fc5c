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
      yaxis: { domain: [0.45, 1], rangemode: "tozero", exponentformat: "none", title: { text: "cost of one" } },
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
      moneyColumn("Cost of one", (row) => row.effective_unit_cost),
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
          "What one unit cost",
          note(
            "No cost was divided by usage in these days. Name a stream in contexts/streams.yml, send its usage, ",
            "and divide a cost by it in contexts/allocation.yml."
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
          `${levelTitle(stream)}: what one ${of[0].unit} cost`,
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

/** A customer's usage of a stream beside what the customer cost by measured usage. */
async function usageBlock(number, chosen) {
  const name = chosen.daily && page.catalog.detail.grain === "month" ? "newest_usage" : "usage";
  const used = await facts(name, { amount: "usage_quantity" });
  if (!used) return null;
  const anywhere = { range: chosen.range, customer: number };
  const streams = used.sum(anywhere, ["stream"]).map(({ keys }) => keys[0]);
  if (!streams.length) {
    return block("Usage against cost", note("This customer reported no usage in these days."));
  }
  const stream = streams.includes(page.state.stream) ? page.state.stream : streams[0];
  const quantities = used.sum({ ...anywhere, where: { stream } }, ["period"]);
  const costs = chosen.facts.sum(
    { range: chosen.range, customer: number, where: { allocation_kind: "usage" } },
    ["period"]
  );
  const unit = used.table.objects((row) => used.table.value("stream", row) === stream)[0]?.unit || stream;
  const choice = el(
    "p.choice",
    {},
    ...streams.map((each) =>
      el("a", { href: addressOf({ stream: each }), "aria-current": each === stream ? "true" : null }, each)
    )
  );
  const days = new Map(costs.map(({ keys, units }) => [keys[0], { day: keys[0], cost: units, used: 0n }]));
  for (const { keys, units } of quantities) {
    if (!days.has(keys[0])) days.set(keys[0], { day: keys[0], cost: 0n, used: 0n });
    days.get(keys[0]).used = units;
  }
  const rows = [...days.values()].sort((a, b) => a.day - b.day);
  const scale = used.amount.scale;
  return block(
    "Usage against cost",
    choice,
    chart({
      label: `${stream} used by ${page.people.names[number]}, and its cost by measured usage`,
      height: 300,
      draw: () => ({
        traces: [
          {
            type: "bar",
            name: escaped(`${stream} used`),
            x: rows.map((row) => dayText(row.day)),
            y: rows.map((row) => toNumber(row.used, scale)),
            hovertext: rows.map((row) => `${exactText(row.used, scale)} ${escaped(unit)}`),
            hoverinfo: "x+text",
            marker: { color: seriesColour(1), opacity: 0.6 },
          },
          {
            type: "scatter",
            mode: "lines",
            name: "Cost by measured usage",
            x: rows.map((row) => dayText(row.day)),
            y: rows.map((row) => toNumber(row.cost)),
            hovertext: exactHover("cost", rows.map((row) => row.cost)),
            hoverinfo: "x+text",
            line: { color: seriesColour(0), width: 2.5 },
            yaxis: "y2",
          },
        ],
        layout: {
          xaxis: { type: "date" },
          yaxis: { rangemode: "tozero" },
          yaxis2: { overlaying: "y", side: "right", rangemode: "tozero", showgrid: false },
        },
      }),
      figures: () =>
        grid({
          caption: `${stream} used, and cost by measured usage`,
          rows,
          columns: [
            dayColumn(chosen.daily ? "Day" : "Month", (row) => dayText(row.day)),
            { title: "Used", value: (row) => row.used, show: (row) => quantity(row.used, scale, unit), figure: true },
            moneyColumn("Cost", (row) => row.cost),
          ],
        }),
    })
  );
}
