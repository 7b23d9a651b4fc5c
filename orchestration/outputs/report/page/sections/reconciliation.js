/* Every sum on the way from the delivered files to the marts, and that nothing was lost between two of them. */

/** The sums of each hop, by cost column, over the days looked at. */
async function hopsOf(range, by) {
  const costs = await facts("reconciliation", { period: "usage_date", amount: "hop_cost" });
  const differences = await facts("reconciliation", { period: "usage_date", amount: "difference" });
  const gaps = new Map(differences.sum({ range }, by).map(({ keys, units }) => [JSON.stringify(keys), units]));
  return costs.sum({ range }, by).map(({ keys, units }) => ({ keys, units, gap: gaps.get(JSON.stringify(keys)) }));
}

/** How many sums differ from the one before, over all days: none, or the snapshot would not be there. */
async function differingSums() {
  const sums = await table("reconciliation");
  let differing = 0;
  for (let row = 0; row < sums.rows; row += 1) if (sums.value("difference", row)) differing += 1;
  return { differing, compared: sums.rows };
}

async function reconciledTile() {
  const { differing, compared } = await differingSums();
  const link = el("a", { href: addressOf({ view: "reconciliation" }) }, `${GROUPED.format(compared)} sums compared`);
  return tile("Difference from bill to marts", differing ? `${differing} differ` : amount(0n), link);
}

/** One row a hop: its sum of every cost column, and the largest difference to the hop before. */
function hopRows(hops) {
  const rows = new Map();
  for (const { keys, units, gap } of hops) {
    const [column, number, name] = keys;
    if (!rows.has(number)) rows.set(number, { number, name, sums: {}, gap: 0n });
    const row = rows.get(number);
    row.sums[column] = units;
    const size = gap < 0n ? -gap : gap;
    if (size > row.gap) row.gap = size;
  }
  return [...rows.values()].sort((a, b) => a.number - b.number);
}

/** One row a money column of the files: what the files add up to, and what landed of it. */
function fileRows(hops) {
  const rows = new Map();
  for (const { keys, units, gap } of hops) {
    const [column, , hop] = keys;
    if (!rows.has(column)) rows.set(column, { column, files: 0n, landing: 0n, gap: 0n });
    Object.assign(rows.get(column), { [hop]: units, ...(hop === "landing" ? { gap } : {}) });
  }
  return [...rows.values()].sort((a, b) => (a.column < b.column ? -1 : 1));
}

section({
  id: "reconciliation",
  title: "Reconciliation",
  filters: ["dates"],
  async show(content) {
    const { differing, compared } = await differingSums();
    const hops = await hopsOf(page.range, ["cost_column", "hop_number", "hop"]);
    const carried = new Set(hops.filter(({ keys }) => keys[2] === "marts").map(({ keys }) => keys[0]));
    const isCarried = ({ keys }) => carried.has(keys[0]);
    const columns = (await table("reconciliation")).columns.cost_column.values.filter((name) => carried.has(name));
    append(
      content,
      block(
        "From the delivered files to the marts",
        el(
          "p.lead",
          { id: "reconciled" },
          differing
            ? `${GROUPED.format(differing)} of ${GROUPED.format(compared)} sums differ from the previous hop.`
            : `${GROUPED.format(compared)} sums over all days were compared with the previous hop. Every difference is `,
          differing ? null : amount(0n),
          "."
        ),
        grid({
          caption: `Sums of ${rangeText(page.range)} by hop`,
          rows: hopRows(hops.filter(isCarried)),
          columns: [
            { title: "Hop", value: (row) => row.name },
            ...columns.map((column) => moneyColumn(levelTitle(column.replace(/^x_/, "")), (row) => row.sums[column] ?? null)),
            moneyColumn("Largest difference from the previous hop", (row) => row.gap),
          ],
          empty: "No bill in this period.",
        }),
        note("The hops are described in the mart `reconciliation`. If the files have no sum for a column, landing derives it from the columns below.")
      ),
      block(
        "Money columns of AWS files",
        grid({
          caption: `Sums of ${rangeText(page.range)} in the files and after landing`,
          rows: fileRows(hops.filter((hop) => !isCarried(hop))),
          columns: [
            { title: "Column", value: (row) => row.column },
            moneyColumn("Files", (row) => row.files),
            moneyColumn("Landing", (row) => row.landing),
            moneyColumn("Difference", (row) => row.gap),
          ],
          empty: "The files in this period contain every cost column.",
        })
      )
    );
  },
});
