/* Costs that were not as expected: how much, since when, and what drove them. */

/** Anomalies that touch the days looked at, the largest impact first. */
async function anomaliesIn(range, keep = () => true) {
  const anomalies = await table("anomalies");
  if (!anomalies) return [];
  return anomalies
    .objects()
    .filter((row) => row.billing_currency === page.currency && row.first_day <= range.to && (row.last_day ?? row.first_day) >= range.from)
    .filter(keep);
}

async function driversOf(id) {
  const drivers = await table("anomaly_drivers");
  return drivers ? drivers.objects((row) => drivers.value("anomaly_id", row) === id) : [];
}

function anomalyTitle(row) {
  const number = row.customer_id === null ? undefined : page.people.number(row.customer_id);
  const where = [row.element, row.service_name, row.sub_account_id].filter(Boolean).join(", ");
  const named = number === undefined ? null : page.people.names[number];
  return [named, where].filter(Boolean).join(": ");
}

async function anomalyCard(row) {
  const drivers = await driversOf(row.anomaly_id);
  const number = row.customer_id === null ? undefined : page.people.number(row.customer_id);
  const title = anomalyTitle(row);
  return el(
    "article.card.anomaly",
    { "aria-label": title },
    el("h3", {}, `${row.impact_rank}. `, title),
    el(
      "p.when",
      {},
      `${row.granularity}, from ${row.started_at}${row.ended_at ? ` to ${row.ended_at}` : ""} UTC`
    ),
    el(
      "dl.figures",
      {},
      ...[
        ["Expected", row.expected_cost],
        ["Actual", row.actual_cost],
        ["Impact", row.cost_impact],
        ["by usage", row.usage_effect],
        ["by rate", row.rate_effect],
      ].map(([name, units]) => el("div", {}, el("dt", {}, name), el("dd", {}, money(units, row.billing_currency))))
    ),
    row.explanation ? el("p", {}, row.explanation) : null,
    drivers.length
      ? grid({
          caption: `What drove it: ${title}`,
          rows: drivers,
          pageRows: 6,
          columns: [
            { title: "Driver", value: (each) => each.driver },
            { title: "Kind", value: (each) => each.driver_kind },
            moneyColumn("Impact", (each) => each.cost_impact),
            dayColumn("When", (each) => each.happened_at),
            { title: "Detail", value: (each) => each.detail },
          ],
        })
      : null,
    number === undefined ? null : el("p.onward", {}, customerLink(number))
  );
}

const ANOMALIES_SHOWN = 10;

/** Cards of the first anomalies, and a table of all. */
async function anomalyList(rows) {
  const cards = [];
  for (const row of rows.slice(0, ANOMALIES_SHOWN)) cards.push(await anomalyCard(row));
  return [
    ...cards,
    rows.length > ANOMALIES_SHOWN
      ? grid({
          caption: "All anomalies of these days",
          rows,
          columns: [
            { title: "Rank", value: (row) => row.impact_rank, figure: true },
            { title: "Where", value: anomalyTitle },
            dayColumn("Began", (row) => row.started_at),
            moneyColumn("Expected", (row) => row.expected_cost),
            moneyColumn("Actual", (row) => row.actual_cost),
            moneyColumn("Impact", (row) => row.cost_impact),
          ],
        })
      : null,
  ];
}

/** The anomalies of one customer, for its page. */
async function customerAnomalies(number) {
  if (!(await table("anomalies"))) return null;
  const id = page.people.ids[number];
  const rows = await anomaliesIn(page.range, (row) => row.customer_id === id);
  if (!rows.length) return block("Anomalies", note("Its costs were as expected in these days."));
  return block("Anomalies", ...(await anomalyList(rows)));
}

section({
  id: "anomalies",
  title: "Anomalies",
  filters: ["dates", "segment", "customer"],
  async show(content) {
    if (!(await table("anomalies"))) {
      append(content, block("Anomalies", note("This snapshot was made before anomalies were looked for; run the job again.")));
      return;
    }
    const { segment, customer } = page.state;
    const segmentOf = (row) => page.people.segments[page.people.number(row.customer_id)];
    const rows = await anomaliesIn(
      page.range,
      (row) => (!segment || segmentOf(row) === segment) && (!customer || row.customer_id === customer)
    );
    append(
      content,
      block(
        "Costs that were not as expected",
        rows.length
          ? el("p.lead", {}, `${rows.length} in ${rangeText(page.range)}, the largest impact first.`)
          : note("Every cost was as expected in these days. Choose other days above to see those of other times."),
        ...(await anomalyList(rows))
      )
    );
  },
});
