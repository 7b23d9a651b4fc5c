/*
 * Tables of figures: sorted by a click on a heading, shown a page at a time, taken along as CSV with every
 * digit. Only the rows that are seen are elements.
 */

const PAGE_ROWS = 25;

/**
 * @param {Object} given `caption`; `rows`; `columns`, each with `title`, `value(row)` for sorting and CSV and
 *   maybe `show(row)`, an element, and `figure: true` for what is aligned as a figure; `sort`, a column's place,
 *   and `descending`; `empty`, what is said without rows; `pageRows`; `footer`, a row of totals; `note`
 */
function grid(given) {
  const { caption, columns, rows, footer, pageRows = PAGE_ROWS } = given;
  if (!rows.length) return note(given.empty || "Nothing to show.");
  let { sort = null, descending = false } = given;
  let shown = pageRows;
  const body = el("tbody");
  const head = el("tr");
  const more = el("div.more");
  let sorted = rows;

  function order() {
    const value = sort === null ? null : columns[sort].value;
    const keyed = rows.map((row, place) => [value ? value(row) : place, place, row]);
    const sign = value && descending ? -1 : 1;
    // What has no value stays at the end, whichever the direction.
    const missing = (key) => (key === null || key === undefined ? 1 : 0);
    keyed.sort((a, b) => missing(a[0]) - missing(b[0]) || sign * compare(a[0], b[0]) || a[1] - b[1]);
    sorted = keyed.map((each) => each[2]);
  }

  function fill() {
    head.replaceChildren(...columns.map(heading));
    body.replaceChildren(...sorted.slice(0, shown).map(line));
    const left = sorted.length - shown;
    more.replaceChildren();
    if (left > 0) {
      const next = Math.min(left, Math.max(pageRows, shown));
      more.append(
        el("button", { type: "button", onclick: () => showMore(next) }, `Show ${next} more`),
        el("span", {}, ` ${GROUPED.format(shown)} of ${GROUPED.format(sorted.length)}`)
      );
    }
  }

  function line(row) {
    const cell = (column, place) =>
      el(
        place === 0 ? "th" : "td",
        { scope: place === 0 && "row", class: [column.figure && "figure", column.day && "day", column.minor && "minor", column.wide && "wide"].filter(Boolean).join(" ") || null },
        column.show ? column.show(row) : plainText(column.value(row))
      );
    return el("tr", {}, ...columns.map(cell));
  }

  function showMore(count) {
    shown += count;
    fill();
  }

  function heading(column, place) {
    const sorting = place === sort ? (descending ? "descending" : "ascending") : "none";
    const press = () => {
      descending = place === sort ? !descending : Boolean(column.figure);
      sort = place;
      order();
      fill();
      head.children[place].querySelector("button").focus();
    };
    const mark = { ascending: " ↑", descending: " ↓", none: "" }[sorting];
    return el(
      "th",
      { scope: "col", "aria-sort": sorting, class: [column.figure && "figure", column.minor && "minor"].filter(Boolean).join(" ") || null },
      el("button", { type: "button", onclick: press }, headingText(column).replace(/-(?=\d)/g, "\u2011"), el("span", { "aria-hidden": "true" }, mark))
    );
  }

  order();
  fill();
  const box = el(
    "div.scroll",
    { role: "region", "aria-label": caption, tabindex: 0 },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), body, footer ? el("tfoot", {}, line(footer)) : null)
  );
  const save = el(
    "button.quiet",
    { type: "button", onclick: () => saveCsv(caption, columns, footer ? [...sorted, footer] : sorted) },
    "Download CSV"
  );
  return el("div.grid", {}, box, given.note ? note(given.note) : null, el("div.under", {}, more, save));
}

/** A value that says itself, numbers in groups of three digits. */
function plainText(value) {
  return typeof value === "number" ? GROUPED.format(value) : value;
}

/** A column of days, months or times. */
function dayColumn(title, value) {
  return { title, value, day: true };
}

/** A column of money with its exact figure. */
function moneyColumn(title, value) {
  const show = (row) => money(value(row), currencyOf(row));
  return { title, value, show, figure: true, money: true, csv: (row) => exactOrNothing(value(row)) };
}

/** A row's own currency, or the one that is looked at. */
function currencyOf(row) {
  return row.billing_currency || page.currency;
}

/** A column's title; a column of money says its currency. */
function headingText(column) {
  return column.money ? `${column.title}, ${page.currency}` : column.title;
}

/** A column of changes in percent. */
function changeColumn(title, value) {
  return { title, value, show: (row) => change(value(row)), figure: true };
}

/** A column of shares in percent, with a bar. */
function shareColumn(title, value) {
  return { title, value, show: (row) => shareBar(value(row)), figure: true };
}

/** A share in percent and as a bar as long. */
function shareBar(percent) {
  const bar = el("span.bar", { "aria-hidden": "true" });
  bar.style.setProperty("--part", `${Math.min(Math.max(percent || 0, 0), 100)}%`);
  return el("span.share", {}, bar, el("span", {}, percentText(percent)));
}

function exactOrNothing(units) {
  return units === null || units === undefined ? "" : exactText(units);
}

/** Give the rows to the reader as a file. */
function saveCsv(caption, columns, rows) {
  const cell = (text) => {
    // A spreadsheet takes a text that begins so for a formula.
    const safe = typeof text === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? "'" + text : text;
    return `"${String(safe ?? "").replace(/"/g, '""')}"`;
  };
  const lines = [
    columns.map((column) => cell(headingText(column))),
    ...rows.map((row) => columns.map((column) => cell(column.csv ? column.csv(row) : column.value(row)))),
  ];
  const address = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n") + "\r\n"]));
  const link = el("a", { href: address, download: caption.replace(/[^\w-]+/g, "_") + ".csv" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
