/*
 * Sums over the costs of every customer, exact: each limb of an amount is summed as whole numbers below 2^53.
 * A company with much cost has months for all its time and days for the newest: `costsIn` chooses.
 */

class Facts {
  /**
   * @param {Table} table sorted by customer, where it has customers
   * @param {Object} given names of the columns with the `amount` and the `period`
   */
  constructor(table, { amount = "effective_cost", period = "period_start" } = {}) {
    this.table = table;
    this.rows = table.rows;
    this.amount = table.columns[amount];
    this.period = table.columns[period].numbers;
    this.places = new Map();
    if ("customer_id" in table.columns) this.readCustomers(table.columns.customer_id, page.people);
  }

  /** Each row's customer by number, and where the rows of each begin and end. */
  readCustomers(customers, people) {
    const numberOf = Int32Array.from(customers.values, (id) => people.number(id));
    this.customer = customers.numbers.map((place) => numberOf[place]);
    this.slices = new Map();
    for (let row = 0, start = 0; row < this.rows; row += 1) {
      if (row + 1 === this.rows || this.customer[row + 1] !== this.customer[row]) {
        this.slices.set(this.customer[row], [start, row + 1]);
        start = row + 1;
      }
    }
  }

  has(column) {
    const ofCustomers = column === "customer" || column === "segment";
    return column in this.table.columns || column === "period" || (ofCustomers && this.customer !== undefined);
  }

  /** What `sum` can group by or choose from: the numbers of a column, how many, and what they stand for. */
  key(column) {
    if (column === "customer") {
      return { numbers: this.customer, size: page.people.ids.length, name: (number) => number, first: 0 };
    }
    if (column === "segment" && this.customer) {
      const names = ["", ...page.people.segmentNames];
      const places = page.people.segments.map((name) => names.indexOf(name));
      this.segment = this.segment || Uint8Array.from(this.customer, (number) => places[number]);
      return { numbers: this.segment, size: names.length, name: (place) => names[place] || null, first: 0 };
    }
    if (column === "period") {
      const size = page.last - monthStart(page.first) + 1;
      return { numbers: this.period, size, name: (number) => number, first: monthStart(page.first) };
    }
    const { kind, numbers, values, isNull } = this.table.columns[column];
    if (kind !== "text") return { numbers, size: 256, name: (number) => number, first: 0 };
    // A row without a value has the place after all values.
    let places = numbers;
    if (isNull) {
      if (!this.places.has(column)) {
        this.places.set(column, numbers.map((place, row) => (isNull[row] ? values.length : place)));
      }
      places = this.places.get(column);
    }
    return {
      numbers: places,
      size: values.length + 1,
      name: (place) => (place === values.length ? null : values[place]),
      first: 0,
    };
  }

  /**
   * @param {Object} wanted `range`; `customer`, a number, or `customers`, a mask; `where`, texts by column
   * @param {Array<string>} by columns, or "customer" and "period"
   * @returns {Array<{keys: Array, units: bigint}>} one for each group that has rows
   */
  sum(wanted, by) {
    const keys = by.map((column) => this.key(column));
    const groups = keys.reduce((size, key) => size * key.size, 1);
    const { limbs, scale } = this.amount;
    const few = groups < 2e6;
    const sums = few ? limbs.map(() => new Float64Array(groups)) : new Map();
    const seen = few ? new Uint8Array(groups) : null;
    const [start, end] = wanted.customer === undefined ? [0, this.rows] : this.slices.get(wanted.customer) || [0, 0];
    const { from, to } = wanted.range;
    const mask = wanted.customers;
    const currency = this.has("billing_currency") ? { billing_currency: page.currency } : {};
    const conditions = Object.entries({ ...currency, ...wanted.where }).map(([column, text]) => {
      const key = this.key(column);
      const values = this.table.columns[column].values;
      return [key.numbers, text === null ? values.length : values.indexOf(text)];
    });
    rows: for (let row = start; row < end; row += 1) {
      const period = this.period[row];
      if (period < from || period > to || (mask && !mask[this.customer[row]])) continue;
      for (const [numbers, place] of conditions) if (numbers[row] !== place) continue rows;
      let group = 0;
      for (const key of keys) group = group * key.size + key.numbers[row] - key.first;
      if (seen) {
        seen[group] = 1;
        for (let limb = 0; limb < limbs.length; limb += 1) sums[limb][group] += limbs[limb][row];
      } else {
        const sum = sums.get(group) || limbs.map(() => 0);
        for (let limb = 0; limb < limbs.length; limb += 1) sum[limb] += limbs[limb][row];
        sums.set(group, sum);
      }
    }
    const found = [];
    const take = (group, sum) => {
      const names = [];
      let rest = group;
      for (let i = keys.length - 1; i >= 0; i -= 1) {
        names.unshift(keys[i].name((rest % keys[i].size) + keys[i].first));
        rest = Math.floor(rest / keys[i].size);
      }
      found.push({ keys: names, units: unitsOf(sum, scale) });
    };
    if (seen) for (let group = 0; group < groups; group += 1) if (seen[group]) take(group, sums.map((limb) => limb[group]));
    if (!seen) for (const [group, sum] of sums) take(group, sum);
    return found;
  }

  /** The sum of everything wanted. */
  total(wanted) {
    return total(this.sum(wanted, []).map((each) => each.units));
  }
}

/** Whole months around a range, as far as there are days. */
function wholeMonths(range) {
  return { from: monthStart(range.from), to: monthEnd(range.to) };
}

/**
 * The costs for a range of days, in the finest detail that covers it.
 * @returns {Promise<{facts: Facts, range: Object, daily: boolean, note: ?string}>} `range` is the one that is summed
 */
async function costsIn(range) {
  const { detail } = page.catalog;
  if (detail.grain === "day") return { facts: await facts("costs"), range, daily: true, note: null };
  if (isWholeMonths(range, page.first, page.last)) {
    return { facts: await facts("costs"), range: wholeMonths(range), daily: false, note: null };
  }
  if (detail.daysFrom && range.from >= dayOf(detail.daysFrom)) {
    const said = detail.services ? "Services are available by month only; choose whole months to see them." : null;
    return { facts: await facts("newest_days"), range, daily: true, note: said };
  }
  const whole = wholeMonths(range);
  const shown = { from: Math.max(whole.from, page.first), to: Math.min(whole.to, page.last) };
  const since = detail.daysFrom ? `Before ${detail.daysFrom}, costs` : "Costs";
  const said = `${since} per customer are available by month only: this is ${rangeText(shown)}.`;
  return { facts: await facts("costs"), range: whole, daily: false, note: said };
}

const made = new Map();

/** The facts of a table of the page, made once; null when the snapshot has no such mart. */
function facts(name, given) {
  const key = name + JSON.stringify(given || {});
  if (!made.has(key)) made.set(key, table(name).then((found) => found && new Facts(found, given)));
  return made.get(key);
}

/** Costs of all customers together, by day. */
function spend() {
  return facts("spend", { period: "usage_date" });
}

/** The elements of a dimension, the costliest of all time first: everywhere in the same order and colour. */
async function elementOrder(level) {
  const everything = { from: page.first, to: page.last };
  const found = (await spend()).sum({ range: everything }, [level]);
  return found.sort((a, b) => compare(b.units, a.units)).map(({ keys }) => keys[0]);
}

/** The level that costs are shown by where there is room for one: the feature, or what comes nearest. */
function mainLevel() {
  const { dimensions } = page.catalog;
  return dimensions.includes("feature") ? "feature" : dimensions.slice(0, 2).pop() || "allocation_kind";
}

/** "feature" as a heading. */
function levelTitle(level) {
  const text = level.replace(/_/g, " ");
  return text[0].toUpperCase() + text.slice(1);
}

/** The element names that a column has in words. */
function elementText(name) {
  return name === null || name === "" ? "(none)" : name;
}
