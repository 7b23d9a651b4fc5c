/* Why a customer's cost is what it is: the rules that gave it, how, and how much of the pools that it shares. */

const METHODS = {
  to: "its own resources",
  stream: "by its share of usage",
  even: "equal shares",
  fixed: "a fixed share",
  allocated_cost: "in proportion to its other costs",
};

/** How a rule divides, in words. */
function methodText(row) {
  if (row.unallocated_reason) return `unallocated: ${row.unallocated_reason}`;
  const said = METHODS[row.method] || row.method;
  return row.method === "stream" ? `${said}: ${row.stream}` : said;
}

/** The rules behind the cost of a customer, of the days that the mart explains; null where it has none. */
async function explanationBlock(number) {
  const explanations = await table("explanations");
  if (!explanations) return null;
  const id = page.people.ids[number];
  const mine = (row) =>
    explanations.value("customer_id", row) === id && explanations.value("billing_currency", row) === page.currency;
  const rows = explanations.objects(mine);
  if (!rows.length) return null;
  const levels = page.catalog.dimensions.slice(0, 2);
  const from = rows.reduce((first, row) => Math.min(first, row.first_day), page.last);
  const to = rows.reduce((last, row) => Math.max(last, row.last_day), from);
  const sentence = rows.find((row) => row.largest !== null);
  return block(
    "Why this customer pays for it",
    el("p.lead", {}, `The rules behind ${rangeText({ from, to })}, the latest days; `, el("code", {}, "cpc explain"), " covers every day, down to the charge."),
    sentence ? el("p.note", {}, `Largest part: ${sentence.largest}`) : null,
    grid({
      caption: `Rules behind the cost of ${page.people.names[number]}`,
      rows,
      pageRows: 10,
      columns: [
        { title: levels.map(levelTitle).join(" › ") || "Cost", value: (row) => partText({ keys: levels.map((level) => row[level]) }) },
        { title: "Rule", value: (row) => row.allocation_rule },
        { title: "Defined at", value: (row) => row.rule_place },
        { title: "How", value: methodText },
        moneyColumn("Cost", (row) => row.effective_cost),
        moneyColumn("Pool cost", (row) => row.pool_cost),
        shareColumn("Share", (row) => percentOf(row.effective_cost, row.pool_cost)),
      ],
    })
  );
}
