/* All customers with what they cost, found by name, sorted by any column. */

/** The days just before a range, when all of them are in the report; else null. */
function earlierRange(range) {
  const before = rangeBefore(range, page.first, page.last);
  return before.from >= page.first ? before : null;
}

/**
 * Each customer's cost in the days looked at and in those before, the costliest first.
 * @returns {Promise<{rows: Array, all: bigint, chosen: Object}>}
 */
async function customerCosts() {
  const chosen = await costsIn(page.range);
  const mask = page.people.ofSegment(page.state.segment);
  const now = new Map();
  for (const { keys, units } of chosen.facts.sum({ range: chosen.range, customers: mask }, ["customer"])) {
    now.set(keys[0], units);
  }
  const earlier = new Map();
  const before = earlierRange(page.range);
  const chosenBefore = before && (await costsIn(before));
  const comparable = Boolean(chosenBefore) && chosenBefore.daily === chosen.daily;
  if (comparable) {
    for (const { keys, units } of chosenBefore.facts.sum({ range: chosenBefore.range, customers: mask }, ["customer"])) {
      earlier.set(keys[0], units);
    }
  }
  const numbers = new Set([...now.keys(), ...earlier.keys()]);
  const all = total([...now.values()]);
  const rows = [...numbers].map((number) => {
    const cost = now.get(number) || 0n;
    const past = comparable ? earlier.get(number) || 0n : null;
    return {
      number,
      now: cost,
      before: past,
      difference: past === null ? null : cost - past,
      percent: changeOf(cost, past),
      share: percentOf(cost, all),
    };
  });
  rows.sort((a, b) => compare(b.now, a.now) || a.number - b.number);
  return { rows, all, chosen };
}

/** How many customers have cost here; those that only had it before are named apart. */
function countedText(rows) {
  const gone = rows.filter((row) => row.now === 0n && row.before).length;
  const said = `${GROUPED.format(rows.length - gone)} customers`;
  return gone ? `${said} (and ${GROUPED.format(gone)} with cost in the previous period only)` : said;
}

section({
  id: "customers",
  title: "Customers",
  filters: ["dates", "segment"],
  async show(content) {
    const { people, state } = page;
    const { rows, all, chosen } = await customerCosts();
    const margins = await newestMargins();
    const holder = el("div", { id: "customer-list" });
    const words = el("input", {
      type: "search",
      id: "words",
      name: "words",
      value: state.q || "",
      placeholder: "Name or id",
      oninput: () => {
        history.replaceState(null, "", addressOf({ q: words.value || null }));
        takeState();
        fill();
        document.documentElement.dataset.address = location.hash;
      },
    });

    function fill() {
      const found = new Set(people.search(words.value, Infinity));
      const kept = rows.filter((row) => found.has(row.number));
      const columns = [
        { title: "Customer", value: (row) => people.names[row.number], show: (row) => customerLink(row.number) },
        { title: "Id", value: (row) => people.ids[row.number], minor: true },
        { title: "Segment", value: (row) => people.segments[row.number], minor: true },
        moneyColumn("Cost", (row) => row.now),
        { ...moneyColumn("Before", (row) => row.before), minor: true },
        changeColumn("Change", (row) => row.percent),
        shareColumn("Share", (row) => row.share),
      ];
      if (margins) {
        const of = (row) => margins.byCustomer.get(people.ids[row.number]);
        columns.push({
          title: `Margin, ${monthText(margins.month)}`,
          value: (row) => of(row)?.gross_margin ?? null,
          show: (row) => marginText(of(row)),
          csv: (row) => exactOrNothing(of(row)?.gross_margin),
          figure: true,
          money: true,
        });
      }
      holder.replaceChildren(
        el("p.note", { role: "status" }, `${countedText(kept)}, `, money(total(kept.map((row) => row.now))), ` ${page.currency}`),
        grid({
          caption: "Cost per customer",
          rows: kept,
          columns,
          sort: 3,
          descending: true,
          pageRows: 50,
          empty: "No matching customer with cost in this period.",
        })
      );
    }

    append(
      content,
      chosen.note ? note(chosen.note) : null,
      block(
        "Customers",
        el("p.lead", {}, `${rangeText(page.range)}: `, money(all), ` ${page.currency} allocated to customers.`),
        el("p.search", {}, el("label", { for: "words" }, "Find "), words),
        holder
      )
    );
    fill();
  },
});
