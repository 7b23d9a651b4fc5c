/* One customer: what it cost each day and why, what it used, and what changed against the days before. */

const KINDS = {
  usage: "measured usage",
  direct: "its own resources",
  even: "equal shares",
  fixed: "fixed shares",
  overhead: "overhead",
};

function customerHead(row, number) {
  const { people } = page;
  const facts = row
    ? [row.segment, row.plan, row.first_cost_date === null ? null : `cost since ${dayText(row.first_cost_date)}`]
    : ["unallocated cost"];
  if (row && !row.is_listed) facts.push("not on the customer list");
  return el(
    "div.head",
    {},
    el("h1", {}, people.names[number]),
    el("p", {}, [people.ids[number], ...facts].filter(Boolean).join(" · "))
  );
}

async function customerTiles(number, chosen, before, row) {
  const { people, range } = page;
  const { facts: costs } = chosen;
  const now = costs.total({ range: chosen.range, customer: number });
  const days = BigInt(range.to - range.from + 1);
  const all = costs.total({ range: chosen.range, customers: people.ofSegment(null) });
  const past = before ? before.facts.total({ range: before.range, customer: number }) : null;
  const kinds = costs.sum({ range: chosen.range, customer: number }, ["allocation_kind"]);
  const tiles = [
    tile("Cost", amount(now), before ? [change(changeOf(now, past)), " from ", amount(past)] : rangeText(range)),
    tile("Daily average", amount(now / days), `${days} days`),
  ];
  if (row) {
    tiles.push(tile("Share of all customers", percentText(percentOf(now, all)), "of allocated cost"));
    const measured = total(kinds.filter(({ keys }) => ["direct", "usage"].includes(keys[0])).map(({ units }) => units));
    const parts = kinds.map(({ keys, units }) => el("span.line", {}, amount(units), ` ${KINDS[keys[0]] || keys[0]}`));
    tiles.push(tile("Measured", percentText(percentOf(measured, now)), ...parts));
    const margins = await newestMargins();
    const margin = margins && margins.byCustomer.get(people.ids[number]);
    if (margin) {
      const title = `Margin, ${monthText(margins.month)}${margin.is_running ? " so far" : ""}`;
      tiles.push(tile(title, [marginText(margin, amount)], "of ", amount(margin.revenue_to_date), " revenue"));
    }
  }
  return el("div.tiles", {}, ...tiles);
}

/** Costs by day (or month, where the report has no days) and feature. */
async function customerTrend(number, chosen) {
  const level = chosen.facts.has(mainLevel()) ? mainLevel() : "allocation_kind";
  const order = await elementOrder(level);
  const sums = chosen.facts.sum({ range: chosen.range, customer: number }, [level, "period"]);
  const what = `${levelTitle(level).toLowerCase()} and ${chosen.daily ? "day" : "month"}`;
  if (!sums.length) return block(`Cost by ${what}`, note("No cost in this period."));
  return block(
    `Cost by ${what}`,
    chart({
      label: `Cost of ${page.people.names[number]} by ${what}`,
      height: 300,
      draw: () => {
        const { traces, periods } = stacked(sums, order, chosen.daily);
        const xaxis = chosen.daily ? { type: "date" } : monthAxis(periods.length);
        return { traces, layout: { xaxis, yaxis: { title: { text: page.currency } } } };
      },
      figures: () =>
        grid({
          caption: `Cost by ${what}`,
          rows: sums,
          sort: 0,
          columns: [
            dayColumn(chosen.daily ? "Day" : "Month", ({ keys }) => (chosen.daily ? dayText : monthText)(keys[1])),
            { title: levelTitle(level), value: ({ keys }) => elementText(keys[0]) },
            moneyColumn("Cost", ({ units }) => units),
          ],
        }),
    })
  );
}

/** "Insights › Search › Amazon EC2"; a name that a level only repeats is not said twice. */
function partText(row) {
  return row.keys.filter((name, place) => place === 0 || name !== row.keys[place - 1]).map(elementText).join(" › ");
}

/** What each part of the cost was before and is now, those that moved most first. */
function customerChanges(number, chosen, before) {
  if (!before) {
    return block("What changed", note("The previous period is not in the report, or not in the same detail."));
  }
  const levels = [...page.catalog.dimensions.slice(0, 2), "service_name"].filter((name) => chosen.facts.has(name));
  const rows = new Map();
  const take = (sums, name) => {
    for (const { keys, units } of sums) {
      const key = JSON.stringify(keys);
      if (!rows.has(key)) rows.set(key, { keys, now: 0n, before: 0n });
      rows.get(key)[name] += units;
    }
  };
  take(chosen.facts.sum({ range: chosen.range, customer: number }, levels), "now");
  take(before.facts.sum({ range: before.range, customer: number }, levels), "before");
  const size = (row) => (row.now > row.before ? row.now - row.before : row.before - row.now);
  const moved = [...rows.values()].filter((row) => size(row) > 0n).sort((a, b) => compare(size(b), size(a)));
  const difference = total(moved.map((row) => row.now - row.before));
  return block(
    "What changed",
    el(
      "p.lead",
      {},
      `Compared with ${rangeText(before.range)}, cost ${difference < 0n ? "fell" : "rose"} by `,
      money(difference < 0n ? -difference : difference),
      ` ${page.currency}. Largest changes:`
    ),
    grid({
      caption: "Cost changes from the previous period",
      rows: moved,
      pageRows: 10,
      columns: [
        { title: levels.map((level) => levelTitle(level.replace("_name", ""))).join(" › "), value: partText },
        moneyColumn("Change", (row) => row.now - row.before),
        moneyColumn("Before", (row) => row.before),
        moneyColumn("Now", (row) => row.now),
        changeColumn("%", (row) => changeOf(row.now, row.before)),
      ],
      empty: "Nothing changed.",
    })
  );
}

section({
  id: "customer",
  title: "Customer",
  within: "customers",
  filters: ["dates", "customer"],
  async show(content) {
    const number = page.people.number(page.state.customer);
    if (number === undefined) {
      const listed = el("a", { href: addressOf({ view: "customers", customer: null }) }, "all customers");
      append(content, block("Choose a customer", note("Search by name or id above, or pick one of ", listed, ".")));
      return;
    }
    const row = page.people.row(number);
    const chosen = await costsIn(page.range);
    const earlier = earlierRange(page.range);
    const found = earlier && (await costsIn(earlier));
    const before = found && found.daily === chosen.daily ? found : null;
    const explore = el("a", { href: addressOf({ view: "explore", by: null }) }, "Explore this cost");
    append(
      content,
      customerHead(row, number),
      chosen.note ? note(chosen.note) : null,
      await customerTiles(number, chosen, before, row),
      await customerTrend(number, chosen),
      el("p.onward", {}, explore),
      await usageBlock(number, chosen),
      customerChanges(number, chosen, before),
      await customerMargins(number),
      await customerAnomalies(number),
      await explanationBlock(number)
    );
  },
});
