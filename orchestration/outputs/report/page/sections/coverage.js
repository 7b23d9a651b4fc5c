/* How much of the bill the rules explain, and the largest that they do not. */

const COVERAGES = [
  ["rule", "Matched by a rule"],
  ["default", "Default"],
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
        "How much of the bill the rules explain",
        grid({
          caption: "Cost by dimension and coverage",
          rows: [...rows.values()],
          empty: "No charges in this period.",
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
        "Largest cost without a rule",
        el("p.lead", {}, `${monthsText(months)}: where the next rule helps most.`),
        grid({
          caption: "Cost without a rule",
          rows: groups,
          sort: 6,
          descending: true,
          empty: "Every dimension has a matching rule for every charge.",
          columns: [
            { title: "Dimension", value: (row) => row.dimension },
            dayColumn("Month", (row) => dayText(row.usage_month)),
            { title: "Service", value: (row) => elementText(row.service_name) },
            { title: "Account", value: (row) => elementText(row.sub_account_id) },
            { title: "Coverage", value: (row) => row.coverage },
            { title: "Charges", value: (row) => row.charge_count, figure: true },
            moneyColumn("Cost", (row) => row.effective_cost),
          ],
        })
      )
    );
  },
});
