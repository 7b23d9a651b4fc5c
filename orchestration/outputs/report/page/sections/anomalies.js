/* Anomalies: how much, since when, and what drove them. The explanation's text comes from the mart. */

const ANOMALIES_SHOWN = 8;
const DAYS_AROUND = 21;
const SAME_NAMED = 5;
const DRIVERS = ["service", "element", "usage", "deployment", "profile", "resource"];

/** Anomalies that touch a range of days, the one to look at first before all others. */
async function anomaliesIn(range, keep = () => true) {
  const anomalies = await table("anomalies");
  if (!anomalies) return [];
  const touches = (row) => row.first_day <= range.to && (row.last_day ?? row.first_day) >= range.from;
  return anomalies.objects().filter((row) => row.billing_currency === page.currency && touches(row) && keep(row));
}

async function driversOf(id) {
  const drivers = await table("anomaly_drivers");
  if (!drivers) return [];
  const found = drivers.objects((row) => drivers.value("anomaly_id", row) === id);
  return found.sort((a, b) => DRIVERS.indexOf(a.driver_kind) - DRIVERS.indexOf(b.driver_kind));
}

/** "Quartz Logistics: Search". */
function anomalyTitle(row) {
  const what = [row.element, row.service_name, row.sub_account_id].filter(Boolean).join(", ");
  const who = row.customer_id === UNALLOCATED ? "Unallocated" : row.customer_name;
  return [who, what].filter(Boolean).join(": ");
}

/** When it was, and of which kind. */
function anomalyTime(row) {
  const until = row.is_ongoing ? "ongoing" : row.ended_at ? `until ${row.ended_at}` : "";
  const judged = row.series_kind === "unit_cost" ? "unit costs" : "costs";
  return [`${row.anomaly_kind}, in ${row.granularity} ${judged}`, `from ${row.started_at} ${until}`]
    .join(", ")
    .trim();
}

/** The days around an anomaly, of what it was found in; null where the report does not have them. */
async function seriesAround(row) {
  const range = {
    from: Math.max(row.first_day - DAYS_AROUND, page.first),
    to: Math.min((row.last_day ?? row.first_day) + 7, page.last),
  };
  if (row.element === null) return null;
  const where = { [row.dimension]: row.element };
  if (row.series_kind === "feature") {
    const all = await spend();
    return all.has(row.dimension) ? all.sum({ range, where }, ["period"]) : null;
  }
  const chosen = await costsIn(range);
  const customer = page.people.number(row.customer_id);
  if (customer === undefined || !chosen.daily || !chosen.facts.has(row.dimension)) return null;
  return chosen.facts.sum({ range, customer, where }, ["period"]);
}

async function anomalyChart(row) {
  const sums = await seriesAround(row);
  if (!sums || !sums.length) return null;
  const during = { from: row.first_day, to: row.last_day ?? row.first_day };
  return chart({
    label: `Daily cost of ${anomalyTitle(row)} before, during and after the anomaly`,
    height: 170,
    draw: () => ({
      traces: [
        {
          type: "bar",
          x: sums.map(({ keys }) => dayText(keys[0])),
          y: sums.map(({ units }) => toNumber(units)),
          hovertext: sums.map(({ keys, units }) => `${dayText(keys[0])}<br>${exactText(units)} ${escaped(page.currency)}`),
          hoverinfo: "text",
          marker: {
            color: sums.map(({ keys }) => (keys[0] >= during.from && keys[0] <= during.to ? seriesColour(1) : seriesColour(7))),
          },
        },
      ],
      layout: { xaxis: { type: "date" }, showlegend: false, bargap: 0.25 },
    }),
    figures: () =>
      grid({
        caption: `Daily cost of ${anomalyTitle(row)}`,
        rows: sums,
        columns: [dayColumn("Day", ({ keys }) => dayText(keys[0])), moneyColumn("Cost", ({ units }) => units)],
      }),
  });
}

/** Where else a cause shows: the first few, and how many more. */
function sameText(same) {
  // A series can show it by the hour and by the day.
  const names = [...new Set(same.map(anomalyTitle))];
  const named = names.slice(0, SAME_NAMED).join("; ");
  return names.length > SAME_NAMED ? `${named}; and ${names.length - SAME_NAMED} more below` : named;
}

async function anomalyCard(row, same) {
  const drivers = await driversOf(row.anomaly_id);
  const number = page.people.number(row.customer_id);
  const title = anomalyTitle(row);
  const figures = [
    ["Expected", row.expected_cost],
    ["Actual", row.actual_cost],
    ["Impact", row.cost_impact],
    ["due to usage", row.usage_effect],
    ["due to unit cost", row.rate_effect],
  ];
  const share = row.share_of_spend === null ? "–" : percentText(Number(row.share_of_spend) / 1e7);
  return el(
    "article.block.anomaly",
    { "aria-label": title, id: row.anomaly_id },
    el("h3", {}, `${row.impact_rank}. `, el("a.own", { href: addressOf({ view: "anomalies", anomaly: row.anomaly_id }), title: "Link to this anomaly" }, title)),
    el("p.when", {}, anomalyTime(row)),
    el(
      "dl.figures",
      {},
      ...figures.map(([name, units]) => el("div", {}, el("dt", {}, name), el("dd", {}, amount(units, row.billing_currency)))),
      el("div", {}, el("dt", {}, "of 30 days' cost"), el("dd", {}, share))
    ),
    row.explanation ? el("p.explanation", {}, row.explanation) : null,
    row.verdict ? el("p.note", {}, `${row.verdict}${row.verdict_note ? `: ${row.verdict_note}` : ""} (contexts/anomalies.yml)`) : null,
    await anomalyChart(row),
    drivers.length
      ? grid({
          caption: `Drivers: ${title}`,
          rows: drivers,
          pageRows: 8,
          columns: [
            { title: "Driver", value: (each) => each.driver },
            { title: "Kind", value: (each) => each.driver_kind },
            moneyColumn("Impact", (each) => each.cost_impact),
            dayColumn("When", (each) => each.happened_at),
            { title: "Detail", value: (each) => each.detail },
          ],
        })
      : null,
    same.length
      ? el("p.note", {}, `Same cause: ${sameText(same)}.`)
      : null,
    number === undefined ? null : el("p.onward", {}, customerLink(number))
  );
}

/** Cards of the first anomalies of those that show a cause of their own, and a table of all. */
async function anomalyList(rows) {
  const known = new Set(rows.map((row) => row.anomaly_id));
  const causes = rows.filter((row) => !known.has(row.same_cause_as));
  const matter = causes.filter((row) => row.is_material && row.verdict === null);
  const first = rows.length > ANOMALIES_SHOWN ? matter : causes;
  const cards = [];
  for (const row of first.slice(0, ANOMALIES_SHOWN)) {
    cards.push(await anomalyCard(row, rows.filter((each) => each.same_cause_as === row.anomaly_id)));
  }
  if (rows.length === cards.length) return cards;
  const all = grid({
    caption: "All anomalies in this period",
    rows,
    columns: [
      {
        title: "Where",
        value: anomalyTitle,
        show: (row) => el("a", { href: addressOf({ view: "anomalies", anomaly: row.anomaly_id }) }, anomalyTitle(row)),
      },
      { title: "Rank", value: (row) => row.impact_rank, figure: true },
      { title: "Kind", value: (row) => row.anomaly_kind },
      dayColumn("Began", (row) => row.started_at),
      moneyColumn("Expected", (row) => row.expected_cost),
      moneyColumn("Actual", (row) => row.actual_cost),
      moneyColumn("Impact", (row) => row.cost_impact),
      { title: "Verdict", value: (row) => row.verdict ?? (row.is_material ? null : "small"), minor: true },
      { title: "Same cause as", value: (row) => (known.has(row.same_cause_as) ? rows.find((each) => each.anomaly_id === row.same_cause_as).impact_rank : null), figure: true },
    ],
  });
  return [...cards, block("All anomalies", all)];
}

/** The anomalies of one customer, for its page. */
async function customerAnomalies(number) {
  if (!(await table("anomalies"))) return null;
  const id = page.people.ids[number];
  const rows = await anomaliesIn(page.range, (row) => row.customer_id === id);
  if (!rows.length) return block("Anomalies", note("No anomalies in this period."));
  return el("div", {}, block("Anomalies", note(countText(rows))), ...(await anomalyList(rows)));
}

function countText(rows) {
  const many = rows.filter(isHeadline).length;
  const causes = `${many || "No"} ${many === 1 ? "cause matters" : "causes matter"} (a thousandth of 30 days' cost or more)`;
  return `${causes}; ${rows.length} ${rows.length === 1 ? "anomaly" : "anomalies"} in ${rangeText(page.range)}.`;
}

/** Those of the segment and customer that are looked at. */
function wantedAnomalies({ segment, customer }) {
  const segmentOf = (row) => page.people.segments[page.people.number(row.customer_id)];
  return anomaliesIn(
    page.range,
    (row) => (!segment || segmentOf(row) === segment) && (!customer || row.customer_id === customer)
  );
}

/** Whether an anomaly is worth a headline: the first of its cause, material, and not judged by anybody. */
function isHeadline(row) {
  return row.same_cause_as === null && Boolean(row.is_material) && row.verdict === null;
}

/** The first of the anomalies in a sentence each, for the overview; null without any. */
async function anomalyNews() {
  const found = await wantedAnomalies({ segment: page.state.segment });
  const rows = found.filter(isHeadline).slice(0, 3);
  const link = el("a", { href: addressOf({ view: "anomalies" }) }, `All anomalies in this period (${found.length})`);
  if (!rows.length) return found.length ? block("Anomalies", note("None that matters: no cause moved a thousandth of a month's cost. ", link)) : null;
  const line = (row) =>
    el("li", {}, el("a", { href: addressOf({ view: "anomalies", anomaly: row.anomaly_id }) }, anomalyTitle(row)), " ", amount(row.cost_impact), ". ", row.explanation);
  return block(
    "Anomalies",
    el("ol.news", {}, ...rows.map(line)),
    el("p.onward", {}, link)
  );
}

section({
  id: "anomalies",
  title: "Anomalies",
  filters: ["dates", "segment", "customer"],
  async show(content) {
    if (!(await table("anomalies"))) {
      append(content, block("Anomalies", note("This snapshot has no anomalies mart; run the job again.")));
      return;
    }
    const { anomaly } = page.state;
    const everything = { from: -Infinity, to: Infinity };
    const [linked] = anomaly ? await anomaliesIn(everything, (row) => row.anomaly_id === anomaly) : [];
    if (linked) {
      const same = await anomaliesIn(everything, (row) => row.same_cause_as === anomaly);
      const back = el("a", { href: addressOf({ anomaly: null }) }, "All anomalies");
      append(content, el("p.onward", {}, back), await anomalyCard(linked, same));
      return;
    }
    const rows = await wantedAnomalies(page.state);
    const said = rows.length
      ? countText(rows)
      : "No anomalies in this period. Choose other dates above.";
    append(content, block("Anomalies", note(said)), ...(await anomalyList(rows)));
  },
});
