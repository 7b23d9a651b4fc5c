/*
 * Charts, drawn by Plotly in the colours of the page. Every chart is a figure with a name, and has its figures
 * beside it as a table: what a picture shows can also be read.
 */

let unpacked = null;
let loaded = null;

/** Begin to unpack Plotly, which goes on beside everything else. */
function unpackPlotly() {
  const holder = document.getElementById("plotly");
  unpacked = inflate(holder.textContent).finally(() => holder.remove());
}

/** Plotly, loaded when the first chart is drawn: that takes a second, in which the figures are there already. */
function loadPlotly() {
  if (loaded) return loaded;
  loaded = unpacked.then((bytes) => {
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(bytes);
    document.head.append(script);
    performance.mark("charting library");
    return window.Plotly;
  });
  return loaded;
}

/** A colour of the page's style, for light or dark. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

/** The colour of the n-th element; they repeat after ten. */
function seriesColour(place) {
  return colour("series-" + (place % 10));
}

/** The same for an area that carries text. */
function tileColour(place) {
  return colour("tile-" + (place % 10));
}

function mergedLayout(layout) {
  const ink = colour("muted");
  const line = colour("line");
  const axis = {
    ...{ gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line, automargin: true },
    ...{ exponentformat: "none", separatethousands: true },
  };
  const text = { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink };
  const merged = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: text,
    margin: { l: 8, r: 8, t: 8, b: 8, pad: 0 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: line, font: { ...text, color: colour("ink") }, namelength: -1 },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: text },
    dragmode: false,
    barmode: "relative",
    colorway: Array.from({ length: 10 }, (_, place) => seriesColour(place)),
    ...layout,
  };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  for (const name of new Set(["xaxis", "yaxis", ...axes])) {
    // Pinched and dragged, a chart on a phone would catch the finger that scrolls the page.
    const dates = { showgrid: false, tickformat: layout[name]?.type === "date" ? "%Y-%m-%d" : "", nticks: 8 };
    merged[name] = { ...axis, fixedrange: true, ...(name.startsWith("x") ? dates : {}), ...layout[name] };
  }
  return merged;
}

const CONFIG = { displayModeBar: false, responsive: true, displaylogo: false, showTips: false };
const drawn = new Set();

/**
 * A chart with its figures beside it.
 * @param {Object} given `label`, what it shows, in words; `height`; `draw`, which returns `traces` and `layout`
 *   in the colours of the moment; `figures`, the table beside it; `onclick`
 */
function chart(given) {
  const host = el("div.chart", { role: "img", "aria-label": given.label, style: `height:${given.height || 300}px` });
  const figure = el("figure", {}, host, given.caption ? el("figcaption", {}, given.caption) : null);
  if (given.figures) figure.append(folded("Show as table", given.figures));
  const entry = {
    host,
    draw: async () => {
      const { traces, layout } = given.draw();
      const Plotly = await loadPlotly();
      if (!host.isConnected) return;
      await Plotly.react(host, traces, mergedLayout(layout || {}), CONFIG);
      // The figure has a name and a table; its strokes, and where Plotly measures texts, are not to be read out.
      const strokes = [...host.querySelectorAll("svg"), document.getElementById("js-plotly-tester")];
      for (const each of strokes) each?.setAttribute("aria-hidden", "true");
      if (given.onclick && !host.listens) {
        host.listens = true;
        for (const [event, listener] of Object.entries(given.onclick)) host.on(event, listener);
      }
    },
  };
  drawn.add(entry);
  return figure;
}

/** Draw the charts that are on the page; those that are gone are let go. */
async function drawCharts() {
  for (const entry of drawn) {
    if (entry.host.isConnected) await entry.draw();
    else {
      drawn.delete(entry);
      if (window.Plotly) window.Plotly.purge(entry.host);
    }
  }
}

/** What is there when somebody wants it. */
function folded(title, content) {
  const details = el("details", {}, el("summary", {}, title));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(content());
  });
  return details;
}

/** Hover texts with every digit. */
function exactHover(label, amounts, unit = page.currency) {
  return amounts.map((units) => `${escaped(label)}<br>${exactText(units)} ${escaped(unit)}`);
}

/** Plotly reads a few tags in its texts; a name is not to be read so. */
function escaped(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** The highlighted days of a chart over time. */
function highlight(range) {
  return {
    type: "rect",
    xref: "x",
    yref: "paper",
    x0: dayText(range.from),
    x1: dayText(range.to + 1),
    y0: 0,
    y1: 1,
    fillcolor: colour("highlight"),
    line: { width: 0 },
    layer: "below",
  };
}

/** An axis of months. */
function monthAxis(months) {
  return { type: "date", tickformat: "%Y-%m", ...(months < 15 ? { dtick: "M1" } : {}) };
}

/**
 * Amounts of several series over days or months, stacked.
 * @param {Array<{keys: [string, number], units: bigint}>} sums by series and period
 * @param {?Array<string>} order of the series, for the same colours everywhere
 */
function stacked(sums, order, daily = true) {
  const periodText = daily ? dayText : monthText;
  const periods = [...new Set(sums.map(({ keys }) => keys[1]))].sort((a, b) => a - b);
  const at = new Map(periods.map((period, place) => [period, place]));
  const series = new Map();
  for (const { keys, units } of sums) {
    if (!series.has(keys[0])) series.set(keys[0], new Array(periods.length).fill(null));
    series.get(keys[0])[at.get(keys[1])] = units;
  }
  const names = [...series.keys()].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  return {
    periods,
    names,
    series,
    traces: names.map((name) => {
      const amounts = series.get(name);
      return {
        type: "bar",
        name: escaped(elementText(name)),
        x: periods.map(dayText),
        y: amounts.map((units) => (units === null ? null : toNumber(units))),
        hovertext: amounts.map((units, place) =>
          units === null
            ? ""
            : `${escaped(elementText(name))}, ${periodText(periods[place])}<br>${exactText(units)} ${escaped(page.currency)}`
        ),
        hoverinfo: "text",
        marker: { color: seriesColour(Math.max(order.indexOf(name), 0)) },
      };
    }),
  };
}
