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
  const said = rows.length === 1 ? ": " : ", the weightiest: ";
  return block("Look at the data", el("p.lead", {}, link, `${said}${rows[0].message}.`));
}

section({
  id: "warnings",
  title: "Warnings",
  filters: [],
  async show(content) {
    append(
      content,
      block(
        "What to know about the data",
        grid({
          caption: "Warnings of all days",
          rows: await warningRows(),
          empty: "Nothing was rejected, and every customer is on the customer list.",
          columns: [
            { title: "What", value: (row) => row.code },
            { title: "Weight", value: (row) => row.severity },
            { title: "Source", value: (row) => row.source },
            { title: "About", value: (row) => row.subject },
            { title: "In words", value: (row) => row.message },
            { ...moneyColumn("Cost", (row) => row.effective_cost), show: (row) => money(row.effective_cost, row.billing_currency) },
            { title: "Currency", value: (row) => row.billing_currency },
            { title: "Rows", value: (row) => row.row_count, figure: true },
            { title: "Month", value: (row) => row.billing_period },
            { title: "Where", value: (row) => row.place },
          ],
        })
      )
    );
  },
});
