/* The first page: what everything cost, what a customer costs on average as the business grows, and what moved. */

const WHERE = {
  usage: "Customers: measured usage",
  direct: "Customers: their own resources",
  even: "Customers: equal shares",
  fixed: "Customers: fixed shares",
  overhead: "Customers: overhead",
};

/** Rows of the averages of the segment that is looked at (null: all customers), oldest first. */
async function averagesOf(grain, segment = page.state.segment || null) {
  const averages = await table("averages");
  return averages
    .objects(
      (row) =>
        averages.value("period_grain", row) === grain &&
        averages.value("segment", row) === segment &&
        averages.value("billing_currency", row) === page.currency
    )
    .sort((a, b) => a.period_start - b.period_start);
}

/** How cost per customer and the number of customers moved between two months, in words. */
function scaleSentence(now, before) {
  if (!before) return `${monthText(now.period_start)} is the first month with costs.`;
  const mean = changeOf(now.mean_cost, before.mean_cost);
  const moved = mean ? `${percentText(Math.abs(mean))} ${mean > 0 ? "more" : "less"} than` : "the same as";
  const customers =
    now.customer_count === before.customer_count
      ? `with the same number of customers (${now.customer_count})`
      : `with ${GROUPED.format(now.customer_count)} customers instead of ${GROUPED.format(before.customer_count)}`;
  const grown = now.customer_count > before.customer_count;
  const verdict = !grown ? "" : mean < 0 ? " More customers, at a lower cost each." : " More customers, at a higher cost each.";
  return (
    `In ${monthText(now.period_start)} the average customer cost ${shortText(now.mean_cost)} ${page.currency}, ` +
    `${moved} in ${monthText(before.period_start)}, ${customers}. Total cost is ` +
    `${movedText(changeOf(now.total_cost, before.total_cost))}.${verdict}`
  );
}

function movedText(percent) {
  if (!percent) return "unchanged";
  return `${percent > 0 ? "up" : "down"} ${percentText(Math.abs(percent))}`;
}

/** A month is drawn at its first day: what is shaded of months reaches half a month to both sides of it. */
function aroundMonths(range) {
  return { from: monthStart(range.from) - 15, to: monthStart(range.to) + 14 };
}

/** What is to be known of the chart: what is shaded, and that the newest month is not over. */
function averagesCaption(grain) {
  const shaded = `Shaded: ${rangeText(page.range)}, the period of the other figures on this page.`;
  const unfinished = grain === "monthly" && page.last < monthEnd(page.last);
  return unfinished ? `${shaded} ${monthText(page.last)} has costs up to ${dayText(page.last)} only.` : shaded;
}

function averagesChart(rows, grain) {
  const x = rows.map((row) => dayText(row.period_start));
  const most = Math.max(...rows.map((row) => row.customer_count));
  const line = (name, column, style) => ({
    type: "scatter",
    mode: rows.length < 40 ? "lines+markers" : "lines",
    name,
    x,
    y: rows.map((row) => toNumber(row[column])),
    hovertext: exactHover(name, rows.map((row) => row[column])),
    hoverinfo: "x+text",
    line: style,
  });
  return {
    traces: [
      line("Mean", "mean_cost", { color: seriesColour(0), width: 3 }),
      line("Median", "median_cost", { color: seriesColour(2), width: 1.5 }),
      line("90th percentile", "p90_cost", { color: seriesColour(4), width: 1.5, dash: "dot" }),
      {
        type: "bar",
        name: "Total cost of customers",
        x,
        y: rows.map((row) => toNumber(row.total_cost)),
        hovertext: exactHover("Total cost of customers", rows.map((row) => row.total_cost)),
        hoverinfo: "x+text",
        marker: { color: seriesColour(0), opacity: 0.45 },
        yaxis: "y2",
      },
      {
        type: "scatter",
        mode: rows.length < 40 ? "lines+markers" : "lines",
        name: "Customers",
        x,
        y: rows.map((row) => row.customer_count),
        hovertemplate: "%{y} customers<extra></extra>",
        line: { color: seriesColour(1), width: 2.5 },
        yaxis: "y3",
      },
    ],
    layout: {
      xaxis: { type: "date", anchor: "y2", ...(grain === "monthly" ? monthAxis(rows.length) : {}) },
      yaxis: { domain: [0.5, 1], rangemode: "tozero", title: { text: `${page.currency} per customer`, standoff: 4 } },
      yaxis2: { domain: [0, 0.4], rangemode: "tozero", title: { text: `${page.currency}, all`, standoff: 4 } },
      yaxis3: { overlaying: "y2", side: "right", range: [0, most * 1.25], showgrid: false, nticks: 4, tickformat: ",d", title: { text: "customers" } },
      shapes: [highlight(grain === "monthly" ? aroundMonths(page.range) : page.range)],
      hovermode: "x unified",
    },
  };
}

function averagesTable(rows, grain) {
  return grid({
    caption: "Average cost per customer",
    rows: [...rows].reverse(),
    columns: [
      dayColumn("Period", (row) => (grain === "monthly" ? monthText : dayText)(row.period_start)),
      { title: "Customers", value: (row) => row.customer_count, figure: true },
      moneyColumn("Total", (row) => row.total_cost),
      moneyColumn("Mean", (row) => row.mean_cost),
      moneyColumn("Median", (row) => row.median_cost),
      moneyColumn("90th percentile", (row) => row.p90_cost),
      moneyColumn("Highest", (row) => row.highest_cost),
    ],
  });
}

async function averagesBlock() {
  const months = await averagesOf("monthly");
  if (!months.length) return block("Average cost per customer", note("No customer has any cost yet."));
  const grain = page.state.grain || (months.length < 3 ? "daily" : "monthly");
  const rows = grain === "monthly" ? months : await averagesOf("daily");
  const choice = (name, title) =>
    el("a", { href: addressOf({ grain: name }), "aria-current": grain === name ? "true" : null }, title);
  const newest = months.findLast((row) => row.period_start <= page.range.to);
  const before = newest && months.find((row) => row.period_start === monthStart(newest.period_start, -1));
  return block(
    "Average cost per customer",
    newest ? el("p.lead", {}, scaleSentence(newest, before)) : null,
    el("p.choice", {}, choice("monthly", "By month"), choice("daily", "By day")),
    chart({
      label: `Average cost per customer, ${grain}: mean, median and 90th percentile; below, total cost and number of customers`,
      height: 430,
      caption: averagesCaption(grain),
      draw: () => averagesChart(rows, grain),
      figures: () => averagesTable(rows, grain),
    })
  );
}

/** What is spread over days after the newest one, which no range of dates shows; null without any. */
async function toComeNote() {
  const come = (await spend()).total({ range: { from: page.last + 1, to: Infinity } });
  if (!come) return null;
  return note("Charges beyond ", dayText(page.last), " add up to ", money(come), ` ${page.currency}: the cost of future days, not included in any figure here.`);
}

async function whereBlock(wanted) {
  const parts = (await spend()).sum(wanted, ["allocation_kind", "unallocated_reason"]);
  const all = total(parts.map((part) => part.units));
  return block(
    "Where the money went",
    grid({
      caption: "Cost by allocation",
      rows: parts.sort((a, b) => compare(b.units, a.units)),
      columns: [
        { title: "Cost", value: ({ keys }) => (keys[1] ? `Unallocated: ${keys[1]}` : WHERE[keys[0]] || keys[0]) },
        moneyColumn("Amount", (part) => part.units),
        shareColumn("Share", (part) => percentOf(part.units, all)),
      ],
      empty: "No cost in this period.",
    }),
    await toComeNote()
  );
}

async function spendBlock(wanted) {
  const level = mainLevel();
  const order = await elementOrder(level);
  const sums = (await spend()).sum(wanted, [level, "period"]);
  return block(
    `Cost by ${levelTitle(level).toLowerCase()} and day`,
    chart({
      label: `Daily cost by ${level}`,
      height: 300,
      draw: () => ({ traces: stacked(sums, order).traces, layout: { xaxis: { type: "date" }, yaxis: { title: { text: page.currency } } } }),
      figures: () =>
        grid({
          caption: `Cost by ${level} and day`,
          rows: sums,
          sort: 0,
          columns: [
            dayColumn("Day", ({ keys }) => dayText(keys[1])),
            { title: levelTitle(level), value: ({ keys }) => elementText(keys[0]) },
            moneyColumn("Cost", ({ units }) => units),
          ],
        }),
    })
  );
}

async function moversBlock(rows) {
  const columns = [
    { title: "Customer", value: (row) => page.people.names[row.number], show: (row) => customerLink(row.number) },
    moneyColumn("Cost", (row) => row.now),
    moneyColumn("Change", (row) => row.difference),
    changeColumn("%", (row) => row.percent),
  ];
  const moved = rows.filter((row) => row.difference !== null && row.difference !== 0n);
  const size = (row) => (row.difference < 0n ? -row.difference : row.difference);
  return el(
    "div.beside",
    {},
    block(
      "Costliest customers",
      grid({ caption: "Costliest customers", rows: rows.slice(0, 8), columns, empty: "No customer has any cost here." })
    ),
    block(
      "Largest changes",
      grid({
        caption: "Customers with the largest cost changes from the previous period",
        rows: moved.sort((a, b) => compare(size(b), size(a))).slice(0, 8),
        columns,
        empty: "There is no previous period to compare with.",
      })
    )
  );
}

async function overviewTiles(wanted, before) {
  const found = await spend();
  const all = found.total(wanted);
  const nobody = found.total({ ...wanted, where: { ...wanted.where, allocation_kind: UNALLOCATED } });
  const earlier = before ? found.total({ ...wanted, range: before }) : null;
  const month = (await averagesOf("monthly")).findLast((row) => row.period_start <= page.range.to);
  const tiles = [
    tile("Total cost", amount(all), before ? [change(changeOf(all, earlier)), ` from ${rangeText(before)}`] : ""),
    tile("Allocated to customers", amount(all - nobody), percentText(percentOf(all - nobody, all))),
    tile("Unallocated", amount(nobody), percentText(percentOf(nobody, all))),
  ];
  if (month) {
    const when = monthText(month.period_start);
    const below = [`${GROUPED.format(month.customer_count)} customers, median `, amount(month.median_cost)];
    tiles.push(tile(`Average per customer, ${when}`, amount(month.mean_cost), ...below));
  }
  const exact = await reconciledTile();
  return el("div.tiles", {}, ...tiles, ...(await marginTile()), exact);
}

section({
  id: "overview",
  title: "Overview",
  filters: ["dates", "segment"],
  async show(content) {
    const { range, state } = page;
    const before = earlierRange(range);
    const wanted = { range, where: state.segment ? { segment: state.segment } : {} };
    append(
      content,
      await overviewTiles(wanted, before),
      await warningsNews(),
      await averagesBlock(),
      await anomalyNews(),
      await spendBlock(wanted),
      await whereBlock(wanted),
      await moversBlock((await customerCosts()).rows)
    );
  },
});
