/*
 * Exact amounts. An amount is a BigInt of units of 10^-scale, money of 10^-24; it comes out of sums over limbs of
 * 32 bits, each a column of whole numbers that stay below 2^53. Only pixels are floating point.
 */

const MONEY_SCALE = 24;
/** Money of a bill has twelve digits, what customers carry 24: the page counts both in units of 10^-24. */
const BILL_SCALE = 12;
const BILL_UNITS = 10n ** BigInt(MONEY_SCALE - BILL_SCALE);

/** @param {Array<number>} limbs lowest first, each of 32 bits @param {number} scale @returns {bigint} units */
function unitsOf(limbs, scale) {
  let units = 0n;
  for (let limb = limbs.length - 1; limb >= 0; limb -= 1) units = (units << 32n) + BigInt(limbs[limb]);
  return scale === BILL_SCALE ? units * BILL_UNITS : units;
}

/** @returns {string} every digit, as the mart prints it: "-1.200000000000000000000000" */
function exactText(units, scale = MONEY_SCALE) {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const sign = units < 0n ? "-" : "";
  return sign + digits.slice(0, digits.length - scale) + (scale ? "." + digits.slice(-scale) : "");
}

/** @returns {bigint} units of 10^-digits, rounded half away from zero */
function roundedUnits(units, scale, digits) {
  if (digits >= scale) return units * 10n ** BigInt(digits - scale);
  const step = 10n ** BigInt(scale - digits);
  const half = step / 2n;
  return units < 0n ? -((-units + half) / step) : (units + half) / step;
}

const GROUPED = new Intl.NumberFormat("en");

/** @returns {string} for reading: "1,234.57", with as many more digits as a small amount needs */
function shortText(units, scale = MONEY_SCALE, digits = 2) {
  if (units === 0n && digits > 0) return "0." + "0".repeat(digits);
  const size = units < 0n ? -units : units;
  let places = digits;
  // Two digits that count, for what would read as 0.00 or 0.01.
  while (places < scale && roundedUnits(size, scale, places) < 10n && size < 10n ** BigInt(scale)) places += 1;
  const rounded = roundedUnits(units, scale, places);
  const plain = exactText(rounded < 0n ? -rounded : rounded, places);
  const [whole, rest] = plain.split(".");
  return (rounded < 0n ? "−" : "") + GROUPED.format(BigInt(whole)) + (rest ? "." + rest : "");
}

/** @returns {string} for tiles and axes: "84.2 k" */
function roughText(units, scale = MONEY_SCALE) {
  const value = toNumber(units, scale);
  return Math.abs(value) < 10000
    ? shortText(units, scale)
    : new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** @returns {string} a quantity, without zeros at its end */
function quantityText(units, scale) {
  const [whole, rest = ""] = exactText(units, scale).split(".");
  const kept = rest.replace(/0+$/, "").slice(0, 6);
  return GROUPED.format(BigInt(whole)) + (kept ? "." + kept : "");
}

/** @returns {number} near enough for a pixel */
function toNumber(units, scale = MONEY_SCALE) {
  return Number(units) / 10 ** scale;
}

/** @returns {?number} part ÷ whole in percent, one thousandth exact; null without a positive whole */
function percentOf(part, whole) {
  return whole > 0n ? Number((part * 100000n) / whole) / 1000 : null;
}

/** @returns {?number} change from before to now in percent; null when there was nothing before */
function changeOf(now, before) {
  return before === null || before <= 0n ? null : percentOf(now - before, before);
}

/** @returns {string} "12.3 %" */
function percentText(percent) {
  if (percent === null) return "–";
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return percent.toFixed(digits).replace("-", "−") + " %";
}

/** @returns {string} "+12.3 %" */
function signedPercent(percent) {
  return (percent > 0 ? "+" : "") + percentText(percent);
}

/** @returns {bigint} */
function total(amounts) {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/** For sorting BigInts, numbers and texts alike. */
function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return a < b ? -1 : 1;
}
