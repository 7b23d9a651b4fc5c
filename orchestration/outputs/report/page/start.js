/* Beginning: read the catalogue, draw the frame, and show the section that the address names. */

/** The address' section; the overview for a name that there is none of. */
function currentSection() {
  return page.sections.find((each) => each.id === page.state.view) || page.sections[0];
}

function showSections(current) {
  const links = page.sections
    .filter((each) => !each.within)
    .map((each) => {
      const here = each.id === (current.within || current.id);
      const cleared = { by: null, where: null, top: null, as: null, anomaly: null, q: null };
      const address = addressOf({ view: each.id, ...cleared });
      return el("a", { href: address, "aria-current": here ? "page" : null }, each.title);
    });
  const nav = document.getElementById("sections");
  nav.replaceChildren(...links);
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

let turn = 0;

/** Show what the address says. A newer address overtakes an older one that is still being drawn. */
async function showState() {
  const mine = (turn += 1);
  takeState();
  const current = currentSection();
  const content = document.getElementById("content");
  const root = document.documentElement;
  root.dataset.shown = "";
  content.setAttribute("aria-busy", "true");
  showSections(current);
  showFilters(current);
  const fresh = el("div", { id: "section-" + current.id });
  try {
    await current.show(fresh);
  } catch (error) {
    append(fresh, block("This section could not be shown", note(String(error))));
    console.error(error);
  }
  if (mine !== turn) return;
  content.replaceChildren(fresh);
  performance.mark("figures of " + current.id);
  content.setAttribute("aria-busy", "false");
  document.title = `${current.title} · Cost per customer`;
  await drawCharts();
  if (mine !== turn) return;
  performance.mark("charts of " + current.id);
  root.dataset.shown = current.id;
  root.dataset.address = location.hash;
}

/** What the file says of itself, at its head and foot. */
function showSnapshot() {
  const { created, snapshot, firstDay, lastDay } = page.catalog;
  const made = created ? `${created.slice(0, 16).replace("T", " ")} UTC` : "";
  document.getElementById("snapshot").textContent = `${firstDay} to ${lastDay} · published ${made}`;
  append(
    document.getElementById("footer"),
    el("p", {}, `Amortised cost (FOCUS effective cost) by usage date, UTC. Snapshot ${snapshot}. `),
    el("p", {}, "Every figure is exact: hover to see all digits. This file makes no network requests.")
  );
}

async function start() {
  page.catalog = JSON.parse(document.getElementById("catalog").textContent);
  if (!page.catalog.lastDay) {
    document.getElementById("content").replaceChildren(note("The marts contain no costs yet."));
    document.documentElement.dataset.shown = "nothing";
    return;
  }
  const customers = table("customers");
  unpackPlotly();
  page.people = new People(await customers);
  page.sections.sort((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id));
  showSnapshot();
  window.addEventListener("hashchange", showState);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
  matchMedia("print").addEventListener("change", drawCharts);
  document.getElementById("skip").addEventListener("click", (event) => {
    // The address is the state; it is not to be replaced by the name of an element.
    event.preventDefault();
    document.getElementById("content").focus();
  });
  await showState();
}

const ORDER = [
  ...["overview", "explore", "customers", "customer", "segments", "units", "margins", "anomalies"],
  ...["coverage", "reconciliation", "warnings"],
];

start();
