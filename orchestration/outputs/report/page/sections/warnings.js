/* What a person should know about the data: rejected records, customers that no list names, and the like. */

/** All warnings, the weightiest first. Snapshots of before there were any have no such table. */
async function warningRows() {
  const found = await table("warnings");
  return found ? found.objects() : [];
}

/** The overview's line: how many there are, and what the weightiest says. */
async function warningsNews() {
  const rows = (await warningRows()).filter((row) => row.severity !== "note");
  if (!rows.length) return null;
  const link = el("a", { href: addressOf({ view: "warnings" }) }, rows.length === 1 ? "One warning" : `${GROUPED.format(rows.length)} warnings`);
  const said = `${rows.length === 1 ? "" : ", the largest"} of ${rows[0].source}: `;
  return block("Data warnings", el("p.lead", {}, link, `${said}${rows[0].message}.`));
}

section({
  id: "warnings",
  title: "Warnings",
  filters: [],
  async show(content) {
    append(
      content,
      block(
        "Data warnings",
        grid({
          caption: "All warnings",
          rows: await warningRows(),
          empty: "Nothing was rejected, and every customer is on the customer list.",
          columns: [
            { title: "Code", value: (row) => row.code },
            { title: "Severity", value: (row) => row.severity, minor: true },
            { title: "Source", value: (row) => row.source, minor: true },
            { title: "Subject", value: (row) => row.subject, minor: true },
            { title: "Message", value: (row) => row.message, wide: true },
            { ...moneyColumn("Cost", (row) => row.effective_cost), money: false },
            { title: "Currency", value: (row) => row.billing_currency },
            { title: "Rows", value: (row) => row.row_count, figure: true },
            dayColumn("Month", (row) => (row.billing_month === null ? null : monthText(row.billing_month))),
            { title: "Where", value: (row) => row.place },
          ],
        })
      )
    );
  },
});
