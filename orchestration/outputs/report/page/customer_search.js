/* Finding a customer by name or id: a text field with a list of matches, by mouse and by keyboard. */

const MATCHES = 8;

/** The field; choosing a customer opens its page, emptying the field shows all customers again. */
function customerField(ignored) {
  const { people, state } = page;
  const chosen = people.number(state.customer);
  let matches = [];
  let active = -1;
  const list = el("ul.matches", { id: "matches", role: "listbox", "aria-label": "Matching customers", hidden: true });
  const input = el("input", {
    type: "search",
    name: "customer",
    role: "combobox",
    placeholder: "All customers",
    "aria-autocomplete": "list",
    "aria-controls": "matches",
    "aria-expanded": "false",
    value: chosen === undefined ? "" : people.names[chosen],
    oninput: () => {
      active = -1;
      if (input.value === "" && state.customer) choose(null);
      else show(true);
    },
    onfocus: () => input.select(),
    onblur: () => setTimeout(() => show(false), 150),
    onkeydown: (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && matches.length) {
        active = (active + step + matches.length + 1) % (matches.length + 1);
        if (active === matches.length) active = step > 0 ? 0 : matches.length - 1;
        show(true);
      } else if (event.key === "Enter") {
        if (matches.length && input.value) choose(matches[Math.max(active, 0)]);
      } else if (event.key === "Escape") show(false);
      else return;
      event.preventDefault();
    },
  });

  function choose(number) {
    show(false);
    if (number === null) {
      const view = state.view === "customer" ? "customers" : state.view;
      go({ customer: null, by: null, view });
    } else go({ customer: people.ids[number], view: "customer", by: null, q: null });
  }

  function show(open) {
    matches = open && input.value.trim() ? people.search(input.value, MATCHES) : [];
    list.replaceChildren(
      ...matches.map((number, place) =>
        el(
          "li",
          {
            id: "match-" + place,
            role: "option",
            "aria-selected": place === active ? "true" : "false",
            onmousedown: (event) => event.preventDefault(),
            onclick: () => choose(number),
          },
          el("span", {}, people.names[number]),
          el("small", {}, `${people.ids[number]} · ${people.segments[number]}`)
        )
      )
    );
    if (open && input.value.trim() && !matches.length) {
      list.append(el("li.nothing", {}, "No matching customer"));
    }
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (active >= 0) input.setAttribute("aria-activedescendant", "match-" + active);
    else input.removeAttribute("aria-activedescendant");
  }

  const field = labelled("Customer", input, ignored);
  field.classList.add("customer");
  field.append(list);
  return field;
}
