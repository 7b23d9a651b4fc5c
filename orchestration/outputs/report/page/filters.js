/* The bar above every section: dates, segment, customer, currency. A section that ignores one says so. */

/** Ranges that people ask for, those that differ and lie within the days there are. */
function presets() {
  const { first, last } = page;
  const whole = usualRange(first, last);
  const isMonth = whole.from === monthStart(whole.from) && whole.to === monthEnd(whole.from);
  const all = [
    [isMonth ? "Latest whole month" : "Everything", whole],
    ["Previous month", { from: monthStart(whole.from, -1), to: whole.from - 1 }],
    ["Latest month so far", { from: monthStart(last), to: last }],
    ["Last 7 days", { from: last - 6, to: last }],
    ["Last 30 days", { from: last - 29, to: last }],
    ["Last 3 whole months", { from: monthStart(whole.to, -2), to: whole.to }],
    ["Last 12 whole months", { from: monthStart(whole.to, -11), to: whole.to }],
    ["Everything", { from: first, to: last }],
  ];
  const seen = new Set();
  return all.filter(([, range]) => {
    const text = rangeText(range);
    if (seen.has(text) || range.from < first || range.to > last) return false;
    return seen.add(text);
  });
}

function labelled(label, input, ignored = false) {
  const said = "This section ignores this filter";
  if (ignored) input.setAttribute("aria-description", said);
  input.id = "filter-" + input.name;
  return el(
    ignored ? "div.field.ignored" : "div.field",
    { title: ignored && said },
    el("label", { for: input.id }, label),
    input
  );
}

function dateField(label, name, ignored) {
  const { from, to } = page.range;
  const value = dayText(name === "from" ? from : to);
  const input = el("input", {
    type: "date",
    name,
    value,
    min: dayText(page.first),
    max: dayText(page.last),
    onchange: () => {
      if (!isDay(input.value)) return;
      const range = { from: dayText(from), to: dayText(to), [name]: input.value };
      // A range that would end before it begins is moved along.
      if (range.from > range.to) range[name === "from" ? "to" : "from"] = input.value;
      go(range);
    },
  });
  return labelled(label, input, ignored);
}

function presetField(ignored) {
  const now = rangeText(page.range);
  const choices = presets();
  const input = el(
    "select",
    {
      name: "preset",
      onchange: () => {
        const range = choices[Number(input.value)][1];
        go({ from: dayText(range.from), to: dayText(range.to) });
      },
    },
    ...choices.map(([title, range], place) =>
      el("option", { value: place, selected: rangeText(range) === now }, title)
    )
  );
  if (!choices.some(([, range]) => rangeText(range) === now)) {
    input.prepend(el("option", { selected: true, disabled: true }, "Custom dates"));
  }
  return labelled("Dates", input, ignored);
}

function segmentField(ignored) {
  const input = el(
    "select",
    { name: "segment", onchange: () => go({ segment: input.value || null }) },
    el("option", { value: "" }, "All segments"),
    ...page.people.segmentNames.map((name) =>
      el("option", { value: name, selected: name === page.state.segment }, name)
    )
  );
  return labelled("Segment", input, ignored);
}

function currencyField() {
  if (page.catalog.currencies.length < 2) return null;
  const input = el(
    "select",
    { name: "currency", onchange: () => go({ currency: input.value }) },
    ...page.catalog.currencies.map((name) => el("option", { value: name, selected: name === page.currency }, name))
  );
  return labelled("Currency", input);
}

function exactField() {
  const input = el("input", {
    type: "checkbox",
    name: "exact",
    checked: Boolean(page.state.exact),
    onchange: () => go({ exact: input.checked ? "1" : null }),
  });
  return el("label", { class: "field check" }, input, el("span", {}, "All digits"));
}

let filtersOpen = false;

/** What is filtered by, in one line: all that a narrow screen shows until it is opened. */
function filtersSummary() {
  const { segment, customer } = page.state;
  const name = customer && page.people.names[page.people.number(customer)];
  return [rangeText(page.range), segment, name, page.catalog.currencies.length > 1 ? page.currency : null].filter(Boolean).join(" · ");
}

/** Draw the bar for a section, keeping the focus where it was. */
function showFilters(section) {
  const bar = document.getElementById("filters");
  const focused = bar.contains(document.activeElement) ? document.activeElement.name : null;
  const uses = section.filters;
  const ignored = (name) => !uses.includes(name);
  const narrow = matchMedia("(max-width: 640px)").matches;
  const fields = [
    presetField(ignored("dates")),
    dateField("From", "from", ignored("dates")),
    dateField("To", "to", ignored("dates")),
    segmentField(ignored("segment")),
    customerField(ignored("customer")),
    currencyField(),
    exactField(),
  ];
  const box = el(
    "details.compact",
    { open: !narrow || filtersOpen, ontoggle: () => (filtersOpen = narrow && box.open) },
    el("summary", {}, filtersSummary()),
    el("div.filters", {}, ...fields)
  );
  bar.replaceChildren(box);
  if (focused && bar.elements[focused]) bar.elements[focused].focus();
}
