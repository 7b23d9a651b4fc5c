/* What customers pay against what they cost, and why it changed. Revenue comes from the company's own files. */

const NO_REVENUE =
  "There is no revenue. Put a CSV file with the columns customer_id, period, amount and currency into " +
  "sources/revenue/ in the workspace, and run the job again.";

/** Margins of the currency that is looked at, of customers only; empty where no revenue was delivered at all. */
async function marginRows(name, wanted = () => true) {
  const margins = await table(name);
  if (!margins) return [];
  const rows = margins.objects((row) => margins.value("billing_currency", row) === page.currency).filter(wanted);
  return rows.some((row) => row.missing_side !== "revenue" && row.missing_side !== "both") ? rows : [];
}

/** Whether a row is of one customer, or of a segment that has customers. */
function isCustomer(row) {
  return row.customer_id !== UNALLOCATED && row.segment !== UNALLOCATED;
}

/** The newest month up to the days looked at; null without revenue. */
async function newestMargins() {
  const until = page.range.to;
  const rows = (await marginRows("customer_margins", isCustomer)).filter((row) => row.billing_month <= until);
  if (!rows.length) return null;
  const month = Math.max(...rows.map((row) => row.billing_month));
  const of = rows.filter((row) => row.billing_month === month);
  return { month, rows: of, byCustomer: new Map(of.map((row) => [row.customer_id, row])) };
}

/** Whether there is revenue to lose: without any, a margin is only the cost, and no loss. */
function hasRevenue(row) {
  return row.missing_side !== "revenue" && row.missing_side !== "both";
}

/** A margin, as a loss where it is one; `shown` as `money` in a column that names the currency. */
function marginMoney(row, shown = money) {
  const without = hasRevenue(row) ? null : el("small", {}, " no revenue");
  return el("span", { class: hasRevenue(row) && row.gross_margin < 0n ? "loss" : null }, shown(row.gross_margin), without);
}

/** A margin with its part of the revenue. */
function marginText(row, shown = money) {
  if (!row || row.gross_margin === null) return el("span.none", {}, "–");
  return el("span", {}, marginMoney(row, shown), hasRevenue(row) ? ` (${ratioText(row)})` : null);
}

/** The margin's part of the revenue in percent. */
function ratioText(row) {
  return row.gross_margin_ratio === null ? "–" : percentText(Number(row.gross_margin_ratio) / 10000);
}

/** What a tile says the margin of: the company, a segment, or one customer, of the newest month. */
async function newestMargin(newest) {
  const { segment, customer } = page.state;
  const of = (rows) => rows.find((row) => row.billing_month === newest.month && row.billing_currency === page.currency);
  if (page.state.view === "margins" && customer) return [newest.byCustomer.get(customer), " of one customer"];
  if (segment) return [of(await marginRows("segment_margins", (row) => row.segment === segment)), " of the segment"];
  return [of((await table("company_margins"))?.objects() ?? []), ""];
}

async function marginTile() {
  const newest = await newestMargins();
  if (!newest) return [];
  const [row, whose] = await newestMargin(newest);
  if (!row) return [];
  const title = `Gross margin${whose}, ${monthText(newest.month)}${row.is_running ? " so far" : ""}`;
  return [tile(title, amount(row.gross_margin), ratioText(row), " of ", amount(row.revenue_to_date), " revenue")];
}

/** From revenue to the company's gross margin, and what is outside it. */
async function companyMargin(newest) {
  const [row] = await newestMargin({ ...newest, byCustomer: new Map() });
  if (!row || row.unallocated_cost === undefined) return null;
  const lines = [
    [row.is_running ? "Revenue of the billed days" : "Revenue", row.revenue_to_date],
    ["− Cost of goods sold, allocated to customers", row.carried_cost],
    ["− Cost of goods sold, unallocated: in no customer's margin", row.unallocated_cost],
    ["= Gross margin", row.gross_margin],
    ["Outside gross margin: other cost", row.other_cost],
    ["Outside gross margin: cost of future days", row.cost_to_come],
  ].map(([what, amount]) => ({ what, amount }));
  const columns = [{ title: "What", value: (line) => line.what }, moneyColumn("Amount", (line) => line.amount)];
  return block(`Company gross margin, ${monthText(newest.month)}`, grid({ caption: "From revenue to gross margin", rows: lines, columns }));
}

/** The columns that every table of margins has. */
function marginColumns() {
  return [
    moneyColumn("Revenue", (row) => row.revenue_to_date),
    moneyColumn("Cost", (row) => row.effective_cost),
    {
      ...moneyColumn("Margin", (row) => row.gross_margin),
      show: (row) => marginMoney(row),
    },
    {
      title: "Margin %",
      value: (row) => row.gross_margin_ratio,
      show: (row) => el("span", { class: hasRevenue(row) && row.gross_margin < 0n ? "loss" : null }, ratioText(row)),
      csv: (row) => (row.gross_margin_ratio === null ? "" : exactText(row.gross_margin_ratio, 6)),
      figure: true,
    },
    moneyColumn("Change", (row) => row.gross_margin_change),
    { title: "Reason for the change", value: (row) => row.change_reason },
  ];
}

/** A table of margins, the newest month first. */
function marginGrid(caption, rows, title, name, more = {}) {
  const months = new Set(rows.map((row) => row.billing_month)).size > 1;
  return grid({
    caption,
    rows: rows.filter((row) => row.revenue_to_date || row.effective_cost || row.gross_margin_change).sort((a, b) => compare(b.billing_month, a.billing_month)),
    columns: [
      ...(name ? [{ title, value: (row) => row[name], ...more }] : []),
      ...(months || !name ? [dayColumn("Month", (row) => monthText(row.billing_month))] : []),
      ...marginColumns(),
    ],
  });
}

/** Each segment's margin in percent of its revenue, by month. */
function segmentMarginTrend(rows) {
  const segments = [...new Set(rows.filter(isCustomer).map((row) => row.segment))];
  return {
    traces: segments.map((segment) => {
      const of = rows.filter((row) => row.segment === segment && row.gross_margin_ratio !== null);
      return {
        type: "scatter",
        mode: "lines+markers",
        name: escaped(segment),
        x: of.map((row) => dayText(row.billing_month)),
        y: of.map((row) => Number(row.gross_margin_ratio) / 10000),
        hovertext: of.map((row) => `${escaped(segment)}<br>${exactText(row.gross_margin)} ${escaped(page.currency)}`),
        hoverinfo: "x+text",
        line: { color: seriesColour(Math.max(page.people.segmentNames.indexOf(segment), 0)), width: 2.5 },
      };
    }),
    layout: {
      xaxis: monthAxis(new Set(rows.map((row) => row.billing_month)).size),
      yaxis: { ticksuffix: " %", rangemode: "tozero" },
    },
  };
}

async function segmentMargins() {
  const until = page.range.to;
  const rows = (await marginRows("segment_margins")).filter((row) => row.billing_month <= until);
  if (!rows.length) return null;
  return block(
    "Segment margins",
    chart({
      label: "Gross margin of each segment as a percentage of its revenue, by month",
      height: 280,
      draw: () => segmentMarginTrend([...rows].sort((a, b) => compare(a.billing_month, b.billing_month))),
    }),
    marginGrid("Segment margins by month", rows, "Segment", "segment")
  );
}

async function productMargins() {
  const until = page.range.to;
  const known = (row) => row.billing_month <= until;
  const rows = await marginRows("product_margins", known);
  if (!rows.length) return null;
  return block("Product margins", marginGrid("Product margins by month", rows, "Product", "product"));
}

/** One customer's margins, for its page. */
async function customerMargins(number) {
  const id = page.people.ids[number];
  const rows = await marginRows("customer_margins", (row) => row.customer_id === id && isCustomer(row));
  return rows.length ? block("Margin by month", marginGrid("Margin by month", rows)) : null;
}

function marginChart(rows) {
  const most = Math.max(...rows.map((row) => toNumber(row.effective_cost)));
  return {
    traces: [
      {
        type: "scatter",
        mode: "markers",
        x: rows.map((row) => toNumber(row.effective_cost)),
        y: rows.map((row) => toNumber(row.revenue_to_date)),
        hovertext: rows.map(
          (row) =>
            `${escaped(row.customer_name)}<br>revenue ${exactText(row.revenue_to_date)}<br>cost ${exactText(row.effective_cost)}`
        ),
        hoverinfo: "text",
        marker: {
          size: 9,
          opacity: 0.75,
          color: rows.map((row) => (!hasRevenue(row) ? seriesColour(7) : row.gross_margin < 0n ? colour("loss") : seriesColour(0))),
        },
      },
    ],
    layout: {
      showlegend: false,
      xaxis: { title: { text: `cost, ${page.currency}` }, rangemode: "tozero", showgrid: true },
      yaxis: { title: { text: `revenue, ${page.currency}` }, rangemode: "tozero" },
      // Below this line a customer costs more than it pays.
      shapes: [{ type: "line", x0: 0, y0: 0, x1: most, y1: most, line: { color: colour("loss"), width: 1, dash: "dot" } }],
    },
  };
}

/** That the newest month still runs, and how far its figures go. */
function unfinishedNote(newest) {
  const { billed_through: through, is_running: running } = newest.rows[0];
  if (!running) return null;
  const days = through ? `the days up to ${dayText(through)}` : "no days yet";
  return note(`${monthText(newest.month)} is still running: revenue and cost cover ${days} and are not compared with the previous month.`);
}

section({
  id: "margins",
  title: "Margins",
  filters: ["dates", "segment", "customer"],
  async show(content) {
    const newest = await newestMargins();
    if (!newest) {
      append(content, block("Margins", note(NO_REVENUE)));
      return;
    }
    const { segment, customer } = page.state;
    const rows = newest.rows
      .filter((row) => (!segment || row.segment === segment) && (!customer || row.customer_id === customer))
      .sort((a, b) => compare(a.gross_margin_ratio, b.gross_margin_ratio));
    // Who left keeps a row, so that the fall of the margin can be ranked; only customers of the month are counted.
    const present = rows.filter((row) => row.missing_side !== "both");
    const paying = present.filter(hasRevenue);
    const losing = paying.filter((row) => row.gross_margin < 0n).length;
    const named = { show: (row) => customerLink(page.people.number(row.customer_id), row.customer_name) };
    const fell = rows
      .filter((row) => row.margin_fall_rank !== null)
      .sort((a, b) => a.margin_fall_rank - b.margin_fall_rank);
    append(
      content,
      el("div.tiles", {}, ...(await marginTile())),
      unfinishedNote(newest),
      customer ? null : await companyMargin(newest),
      block(
        `Revenue and cost per customer, ${monthText(newest.month)}`,
        el("p.lead", {}, `${losing} of ${GROUPED.format(paying.length)} customers cost more than they pay: the ones below the dotted line.`),
        paying.length < present.length
          ? note(`${present.length - paying.length} more have cost and no revenue, such as free or internal use: grey, and not counted as a loss.`)
          : null,
        note("A customer's margin is its revenue − the cost allocated to it; unallocated cost is in the company's margin only."),
        chart({
          label: `Revenue and cost of each customer in ${monthText(newest.month)}`,
          height: 340,
          draw: () => marginChart(present),
        }),
        marginGrid(`Margin of each customer, ${monthText(newest.month)}`, present, "Customer", "customer_name", named)
      ),
      block(
        "Largest margin declines",
        fell.length
          ? marginGrid("Customers with the largest margin declines", fell.slice(0, 10), "Customer", "customer_name", named)
          : note("No margin fell from the previous month.")
      ),
      await segmentMargins(),
      await productMargins()
    );
  },
});
