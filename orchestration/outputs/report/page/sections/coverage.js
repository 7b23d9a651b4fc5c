/* How much of the bill the rules explain, and the largest that they do not. */

const COVERAGES = [
  ["rule", "Claimed by a rule"],
  ["default", "Left to the default"],
  ["unmatched", "Unmatched"],
];

section({
  id: "coverage",
  title: "Coverage",
  filters: ["dates"],
  async show(content) {
    const coverage = await facts("coverage", { period: "usage_date" });
    const sums = coverage.sum({ range: page.range }, ["dimension", "coverage"]);
    const rows = new Map();
    for (const { keys, units } of sums) {
      if (!rows.has(keys[0])) rows.set(keys[0], { dimension: keys[0], all: 0n, rule: 0n, default: 0n, unmatched: 0n });
      rows.get(keys[0])[keys[1]] += units;
      rows.get(keys[0]).all += units;
    }
    const months = wholeMonths(page.range);
    const unclaimed = await table("unclaimed");
    const groups = unclaimed
      .objects((row) => unclaimed.value("billing_currency", row) === page.currency)
      .filter((row) => row.usage_month >= months.from && row.usage_month <= months.to);
    append(
      content,
      block(
        "What the rules say of the bill",
        grid({
          caption: "Cost by dimension and by who claims it",
          rows: [...rows.values()],
          empty: "No charge in these days.",
          columns: [
            { title: "Dimension", value: (row) => row.dimension },
            ...COVERAGES.flatMap(([name, title]) => [
              moneyColumn(title, (row) => row[name]),
              shareColumn("%", (row) => percentOf(row[name], row.all)),
            ]),
          ],
        })
      ),
      block(
        "The largest that no rule claims",
        el("p.lead", {}, `${monthsText(months)}: where the next rule pays most.`),
        grid({
          caption: "Cost that no rule claims",
          rows: groups,
          sort: 6,
          descending: true,
          empty: "Every charge is claimed by a rule of every dimension.",
          columns: [
            { title: "Dimension", value: (row) => row.dimension },
            dayColumn("Month", (row) => monthText(row.usage_month)),
            { title: "Service", value: (row) => elementText(row.service_name) },
            { title: "Account", value: (row) => elementText(row.sub_account_id) },
            { title: "Became", value: (row) => row.coverage },
            { title: "Charges", value: (row) => row.charge_count, figure: true },
            moneyColumn("Cost", (row) => row.effective_cost),
          ],
        })
      )
    );
  },
});
