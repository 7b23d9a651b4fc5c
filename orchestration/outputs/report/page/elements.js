/* Making elements. Text only ever becomes a text node, so that names are names whatever they hold. */

/**
 * @param {string} tag "p", or "p.class"
 * @param {Object} given attributes; `on…` are listeners, `null` and `false` are left out
 * @param {...(Node|string|number|null)} children
 */
function el(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === false || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, ...children);
  return element;
}

/** Appends what is not null; numbers and texts as text. */
function append(element, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Money as it is read, with the exact figure as its value and title. */
function money(units, currency = page.currency) {
  if (units === null || units === undefined) return el("span.none", {}, "–");
  const exact = exactText(units);
  const shown = page.state.exact ? exact : shortText(units);
  return el("data.money", { value: exact, title: `${exact} ${currency}` }, shown);
}

/** Money with its currency beside it. */
function amount(units, currency = page.currency) {
  return units === null || units === undefined ? money(units) : el("span.amount", {}, money(units, currency), el("small", {}, ` ${currency}`));
}

/** A quantity as it is read, with the exact figure as its value and title. */
function quantity(units, scale, unit = "") {
  if (units === null) return el("span.none", {}, "–");
  const exact = exactText(units, scale);
  return el("data.quantity", { value: exact, title: `${exact} ${unit}`.trim() }, quantityText(units, scale));
}

/** A change in percent, shown by sign and arrow first, then by colour. */
function change(percent) {
  if (percent === null) return el("span.none", { title: "Nothing to compare with" }, "–");
  const word = percent > 0 ? "up" : percent < 0 ? "down" : "same";
  const arrow = { up: "▲ ", down: "▼ ", same: "" }[word];
  return el("span.change." + word, {}, arrow + percentText(Math.abs(percent)));
}

/** A heading with a region of its own, so that it can be jumped to. */
function block(title, ...children) {
  const id = "b" + (block.count = (block.count || 0) + 1);
  return el("section.block", { "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

/** What a section says instead of figures. */
function note(...children) {
  return el("p.note", {}, ...children);
}

/** A tile with one figure. */
function tile(label, figure, ...below) {
  return el(
    "div.tile",
    {},
    el("p.label", {}, label),
    el("p.figure", {}, figure),
    below.length ? el("p.below", {}, ...below) : null
  );
}
