/* Why a customer's cost is what it is: the rules that gave it, how, and how much of the pools that it shares. */

const METHODS = {
  to: "its own resources",
  stream: "by its part of the usage",
  even: "the same for each",
  fixed: "a fixed share",
  allocated_cost: "by the cost that it carries already",
};

/** How a rule divides, in words. */
function methodText(row) {
  if (row.unallocated_reason) return `with nobody: ${row.unallocated_reason}`;
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
    "Why it is this customer's",
    el("p.lead", {}, `The rules behind ${rangeText({ from, to })}, the newest days; `, el("code", {}, "cpc explain"), " has every day, down to the charge."),
    sentence ? el("p.note", {}, `Its largest part: ${sentence.largest}`) : null,
    grid({
      caption: `Rules behind the cost of ${page.people.names[number]}`,
      rows,
      pageRows: 10,
      columns: [
        { title: levels.map(levelTitle).join(" › ") || "Cost", value: (row) => partText({ keys: levels.map((level) => row[level]) }) },
        { title: "Rule", value: (row) => row.allocation_rule },
        { title: "Written at", value: (row) => row.rule_place },
        { title: "How", value: methodText },
        moneyColumn("Cost", (row) => row.effective_cost),
        moneyColumn("Of pools of", (row) => row.pool_cost),
        shareColumn("Share", (row) => percentOf(row.effective_cost, row.pool_cost)),
      ],
    })
  );
}
