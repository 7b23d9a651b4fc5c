/* Days as whole numbers since 1970-01-01, and the ranges and months made of them. All days are UTC. */

const DAY = 86400000;

/** @param {string} text "2026-10-20" @returns {number} */
function dayOf(text) {
  return Math.round(Date.parse(text + "T00:00:00Z") / DAY);
}

/** @param {?string} text @returns {boolean} whether it is a day that exists */
function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text || "") && !Number.isNaN(Date.parse(text + "T00:00:00Z"));
}

/** @param {number} day @returns {string} "2026-10-20" */
function dayText(day) {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** @returns {string} "2026-10" */
function monthText(day) {
  return dayText(day).slice(0, 7);
}

/** @returns {number} first day of the month, or of one `months` later */
function monthStart(day, months = 0) {
  const date = new Date(day * DAY);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / DAY;
}

/** @returns {number} last day of the month */
function monthEnd(day) {
  return monthStart(day, 1) - 1;
}

/** The days of a range: both ends belong to it. */
function rangeText(range) {
  return range.from === range.to ? dayText(range.from) : `${dayText(range.from)} to ${dayText(range.to)}`;
}

/** The months of a range. */
function monthsText(range) {
  const [from, to] = [monthText(range.from), monthText(range.to)];
  return from === to ? from : `${from} to ${to}`;
}

/** Whether a range is whole months, as far as there are days. */
function isWholeMonths(range, first, last) {
  const begins = range.from === monthStart(range.from) || range.from <= first;
  return begins && (range.to === monthEnd(range.to) || range.to >= last);
}

/** The range of the same kind just before: as many months before whole months, else as many days. */
function rangeBefore(range, first, last) {
  if (isWholeMonths(range, first, last) && range.to === monthEnd(range.to)) {
    let months = 0;
    while (monthStart(range.from, months) <= range.to) months += 1;
    return { from: monthStart(range.from, -months), to: monthStart(range.from) - 1 };
  }
  return { from: range.from - (range.to - range.from + 1), to: range.from - 1 };
}
