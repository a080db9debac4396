"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const hidden = new Set(); // methods that the reader hides
const $ = (selector) => document.querySelector(selector);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// ---- how things look ---------------------------------------------------------------------------

// Colours are those of the figures, lighter on a dark page and darker on a light one.
function shown(color) {
  const lch = d3.lch(color);
  lch.l = dark.matches ? Math.max(lch.l, 62) : Math.min(lch.l, 72);
  return lch.formatHex();
}

const look = (i) => ({ ...data.methods[i], color: shown(data.methods[i].color) });
const named = (line) => data.methods[line.method].label + (line.rate ? `, step size ${line.rate}` : "");
const visible = (lines) => lines.filter((line) => !hidden.has(line.method));

function number(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(+value.toPrecision(4));
}

function power(value) { // 0.01 as a power of ten, where it is one
  const exponent = Math.log10(value);
  const whole = Math.abs(exponent - Math.round(exponent)) < 1e-9;
  if (!whole) return "";
  const digits = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
  const raised = [...String(Math.round(exponent))].map((c) => (c === "-" ? "\u207b" : digits[c])).join("");
  return "10" + raised;
}

function plotted(place, label, options) {
  const width = Math.max(place.clientWidth, 240);
  const chart = Plot.plot({
    width, marginLeft: 52, marginBottom: 40, marginRight: 16,
    style: { background: "transparent", color: "inherit", fontSize: "12px", overflow: "visible" },
    ariaLabel: label, ...options,
  });
  place.replaceChildren(chart);
}

// On a logarithmic axis only powers of ten are marked, at most one for every 45 pixels.
function axis(label, values, log, more = {}) {
  if (!log) return { label, labelArrow: "none", ...more };
  const [low, high] = d3.extent(values.filter((v) => v > 0)).map(Math.log10);
  const every = Math.max(1, Math.ceil((high - low) / 7));
  const ticks = d3.range(Math.ceil(low - 1e-9), high + 1e-9, every).map((e) => 10 ** e);
  return { label, labelArrow: "none", type: "log", ticks, tickFormat: power, ...more };
}
const stroke = (i) => ({ stroke: look(i).color, strokeWidth: 2, strokeDasharray: look(i).dash.join(" ") });
const symbol = (i) => ({ symbol: look(i).symbol, rotate: look(i).turn });
const tip = (points, x, y) => Plot.tip(points, Plot.pointer({ x, y, title: (p) => p.text, fill: "var(--back)" }));

// ---- charts ------------------------------------------------------------------------------------

function drawGrid() {
  const { grid } = data;
  const points = visible(grid.points).map((p) => ({
    ...p, text: `${named(p)}\nloss ${number(p.end)}${p.seeds > 1 ? `, worst of ${p.seeds} seeds` : ""}` +
      (p.chosen ? "\nchosen" : "") + (p.unstable ? "\nwent beyond ten times its start" : ""),
  }));
  const lost = visible(grid.lost);
  const rows = d3.groupSort(lost, (g) => g[0].method, (p) => p.method);
  const marks = [Plot.ruleY([grid.start], { stroke: "currentColor", strokeOpacity: 0.4 })];
  for (const [method, of] of d3.group(points, (p) => p.method)) {
    const searched = of.filter((p) => p.x !== null);
    const { color } = look(method);
    marks.push(
      Plot.ruleY(of.filter((p) => p.x === null), { y: "y", ...stroke(method) }),
      Plot.areaY(searched, { x: "x", y1: "low", y2: "high", fill: color, fillOpacity: 0.2 }),
      Plot.lineY(searched, { x: "x", y: "y", ...stroke(method) }),
      Plot.dot(searched, { x: "x", y: "y", r: 4, stroke: color, fill: (p) => (p.unstable ? "var(--back)" : color), ...symbol(method) }),
      Plot.dot(searched.filter((p) => p.chosen), { x: "x", y: "y", r: 9, symbol: "star", fill: color, stroke: "var(--back)" }),
    );
  }
  rows.forEach((method, row) => marks.push(Plot.dot(lost.filter((p) => p.method === method), {
    x: "x", frameAnchor: "top", dy: 10 * row - 10 * rows.length, symbol: "times", r: 3.5, stroke: look(method).color,
  })));
  marks.push(tip(points.filter((p) => p.x !== null), "x", "y"));
  $("#floor").hidden = !grid.raised;
  plotted($("#grid .chart"), "Final training loss against step size", {
    height: 340 + 10 * rows.length, marginTop: 28 + 10 * rows.length, marks,
    x: axis("Step size", [...points, ...lost].map((p) => p.x), true, { inset: 14 }),
    y: axis(grid.label, [grid.start, ...points.map((p) => p.y)], grid.log, { grid: true, zero: !grid.log, inset: 8 }),
  });
}

function drawCurves() {
  const of = data.curves[$("#metric").value];
  const log = $("#logarithmic").checked;
  const fits = (y) => y !== null && (!log || y > 0);
  const top = of.loss ? 2 * d3.max(of.lines, (line) => line.y[0]) : Infinity;
  const marks = [], points = [];
  let low = Infinity, high = -Infinity;
  for (const line of visible(of.lines)) {
    const rows = line.x.map((x, k) => ({ x, y: line.y[k], low: line.low?.[k], high: line.high?.[k] })).filter((p) => fits(p.y));
    if (line.low) marks.push(Plot.areaY(rows.filter((p) => fits(p.low)), { x: "x", y1: "low", y2: "high", fill: look(line.method).color, fillOpacity: 0.2, clip: true }));
    marks.push(Plot.lineY(rows, { x: "x", y: "y", clip: true, ...stroke(line.method) }));
    for (const p of rows) points.push({ ...p, text: `${named(line)}\nstep ${p.x}: ${number(p.y)}` });
    low = Math.min(low, d3.min(rows, (p) => p.y));
    high = Math.max(high, d3.max(rows, (p) => p.y));
  }
  const bottom = log ? Math.max(low, 1e-6 * high) : Math.min(0, low);
  const domain = points.length ? [bottom, Math.min(high, top)] : [log ? 0.1 : 0, 1];
  marks.push(tip(points.filter((p) => p.y <= top), "x", "y"));
  plotted($("#curves .chart"), `${of.label} over steps`, {
    height: 340, marginTop: 28, marks, x: axis("Step", [], false),
    y: axis(of.label, domain, log, { grid: true, domain }),
  });
}

function nearest(line, step) { // the last recorded row up to a step
  return Math.max(0, d3.bisectRight(line.steps, step) - 1);
}

function sliderStep() {
  return allSteps[+$("#step").value];
}

function drawClasses() {
  const { by_class } = data, step = sliderStep();
  $("#at").textContent = step;
  const marks = [], points = [];
  for (const line of visible(by_class.lines)) {
    const k = nearest(line, step), { color } = look(line.method);
    const classes = by_class.classes.map((c, i) => ({
      x: c.rank, y: line.values[k][i],
      text: `${named(line)}\nclass ${c.id}, ${c.examples} examples\nloss ${number(line.values[k][i])}`,
    })).filter((p) => p.y !== null);
    const groups = by_class.groups.map((g, i) => ({ x: g.rank, y: line.groups[i][k] })).filter((p) => p.y !== null);
    marks.push(
      Plot.dot(classes, { x: "x", y: "y", r: 2.5, fill: color, fillOpacity: 0.35 }),
      Plot.lineY(groups, { x: "x", y: "y", ...stroke(line.method) }),
      Plot.dot(groups, { x: "x", y: "y", r: 4, fill: color, ...symbol(line.method) }),
    );
    points.push(...classes);
  }
  marks.push(tip(points, "x", "y"));
  const most = d3.max(by_class.lines, (line) => d3.max(line.values[0])) ?? 1;
  const y = axis(by_class.label, [], false, { grid: true, domain: [0, 1.25 * most], clamp: true });
  plotted($("#by_class .chart"), `Loss of each class at step ${step}`, {
    height: 360, marginTop: 28, marks, y,
    x: axis("Rank of the class, from the most frequent to the rarest", by_class.classes.map((c) => c.rank), by_class.log, { inset: 8 }),
  });
  drawPanels(step, y);
}

function drawPanels(step, y) {
  const place = $("#by_class .panels");
  const panels = visible(data.by_class.lines).map((line) => {
    const figure = element("div");
    const panel = element("div", {}, element("h4", { style: `color: ${look(line.method).color}` }, named(line)), figure);
    return { line, panel, figure };
  });
  place.replaceChildren(...panels.map((p) => p.panel));
  for (const { line, figure } of panels) {
    const marks = data.by_class.groups.map((g, i) => Plot.lineY(
      line.steps.map((x, k) => ({ x, y: line.groups[i][k] })).filter((p) => p.y !== null),
      { x: "x", y: "y", stroke: shown(g.color), strokeWidth: 1.8, clip: true },
    ));
    marks.push(Plot.ruleX([step], { stroke: "currentColor", strokeOpacity: 0.5 }));
    plotted(figure, `${named(line)}: loss by group over steps`, {
      height: 190, marginTop: 10, marks, x: axis("Step", [], false, { ticks: 4 }), y: { ...y, label: null },
    });
  }
}

// ---- legends and controls ----------------------------------------------------------------------

function swatch(i) {
  const { color, dash, symbol, turn } = look(i);
  const svg = d3.create("svg").attr("width", 46).attr("height", 12).attr("aria-hidden", true);
  svg.append("line").attr("x1", 1).attr("x2", 45).attr("y1", 6).attr("y2", 6).attr("stroke", color).attr("stroke-width", 2).attr("stroke-dasharray", dash.join(" "));
  const shape = d3[`symbol${symbol[0].toUpperCase()}${symbol.slice(1)}`] ?? d3.symbolCircle;
  svg.append("path").attr("transform", `translate(23,6) rotate(${turn})`).attr("fill", color).attr("d", d3.symbol(shape, 36)());
  return svg.node();
}

function drawLegend() {
  $("#legend").hidden = !data.grid;
  $("#methods").replaceChildren(...data.methods.map((method, i) => {
    const button = element("button", { "aria-pressed": String(!hidden.has(i)) }, swatch(i), method.label);
    button.onclick = () => { hidden.has(i) ? hidden.delete(i) : hidden.add(i); draw(); };
    return button;
  }));
  if (!data.by_class) return;
  $("#groups").replaceChildren(...data.by_class.groups.map((g) =>
    element("li", {}, element("i", { style: `background: ${shown(g.color)}` }), g.label)));
}

function draw() {
  drawLegend();
  if (data.grid) drawGrid();
  if (data.curves?.length) drawCurves();
  if (data.by_class) drawClasses();
}

const allSteps = data.by_class ? [...new Set(data.by_class.lines.flatMap((line) => line.steps))].sort(d3.ascending) : [];

function prepareCharts() {
  for (const name of ["grid", "curves", "by_class"]) $(`#${name}`).hidden = !data[name] || data[name].length === 0;
  $("#metric").append(...(data.curves ?? []).map((of, i) => element("option", { value: i }, of.label)));
  $("#metric").onchange = $("#logarithmic").onchange = drawCurves;
  if (!data.by_class) return;
  const { classes, num_classes } = data.by_class;
  const few = classes.length < num_classes ? ` Shown are ${classes.length} of ${num_classes} classes; lines are of all.` : "";
  const above = " What is beyond the axis stands at its top.";
  $("#about_classes").textContent = "Which classes does an optimizer leave behind? Move the slider: a dot is the training loss " +
    "of a class at that step, at its rank by frequency; a line joins the means of groups of classes that are about as frequent." + few + above;
  $("#step").max = allSteps.length - 1;
  $("#step").value = allSteps.length - 1;
  $("#step").oninput = drawClasses;
}

// ---- table of runs -----------------------------------------------------------------------------

const sorting = { key: null, down: false };
const cell = {
  method: (run) => data.methods[run.method].label,
  x: (run) => run.rate,
  final: (run) => (run.final === null ? (run.status === "diverged" ? "diverged" : "") : number(run.final)),
  id: (run) => run.id.slice(0, 8),
};
const text = (run, key) => (cell[key] ? cell[key](run) : run[key] ?? "").toString();

function compared(a, b) { // what has no number comes last
  const { key, down } = sorting;
  if (key === null) return 0;
  const [u, v] = key === "method" ? [text(a, key), text(b, key)] : [a[key], b[key]];
  if (u === null || v === null) return (u === null) - (v === null);
  return (down ? -1 : 1) * d3.ascending(u, v);
}

function drawTable() {
  const words = $("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = data.runs.filter((run) => {
    const all = data.columns.map((c) => text(run, c.key)).join(" ").toLowerCase() + run.id;
    return words.every((word) => all.includes(word));
  });
  kept.sort(compared);
  $("#runs tbody").replaceChildren(...kept.map((run) => element("tr", {}, ...data.columns.map((c) =>
    element("td", { class: c.number ? "number" : c.key === "note" ? "text" : "", ...(c.key === "id" ? { title: run.id } : {}) }, text(run, c.key))))));
  $("#shown").textContent = `${kept.length} of ${data.runs.length} runs`;
  document.querySelectorAll("#runs th").forEach((th, i) => {
    const active = data.columns[i].key === sorting.key;
    th.setAttribute("aria-sort", active ? (sorting.down ? "descending" : "ascending") : "none");
    th.querySelector("span").textContent = active ? (sorting.down ? " \u25bc" : " \u25b2") : " \u21c5";
  });
}

function prepareTable() {
  $("#runs thead tr").append(...data.columns.map((c) => {
    const button = element("button", { title: "Sort" }, c.title, element("span", { "aria-hidden": "true" }));
    button.onclick = () => {
      sorting.down = sorting.key === c.key && !sorting.down;
      sorting.key = c.key;
      drawTable();
    };
    return element("th", { scope: "col", class: c.number ? "number" : "" }, button);
  }));
  $("#filter").oninput = drawTable;
  drawTable();
}

// ---- texts -------------------------------------------------------------------------------------

function writeTexts() {
  const states = Object.entries(data.counts).map(([name, runs]) => `${runs} ${name}`).join(", ");
  const days = data.made ? (data.made[0] === data.made[1] ? ` Run on ${data.made[0]}.` : ` Run from ${data.made[0]} to ${data.made[1]}.`) : "";
  $("#summary").textContent = `${data.about ? data.about + "; " : ""}${data.runs.length} runs: ${states || "none can be read"}.${days}`;
  $("#notes").hidden = data.notes.length === 0;
  $("#notes").append(...data.notes.map((note) => element("p", {}, note)));
  for (const of of data.definitions) {
    if (data.definitions.length > 1) $("#definitions").append(element("h3", {}, `${of.runs} runs`));
    $("#definitions").append(element("dl", {}, ...of.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
  }
  $("#versions ul").append(...data.versions.map((v) => element("li", {}, `${v.runs} runs: ${v.text}`)));
  $("#reproduce").hidden = !data.reproduce?.length;
  if (!data.reproduce?.length) return;
  $("#about_commands").textContent = "The Python below holds the whole definition of the run that is drawn, and needs nothing else but optexp-jax. " +
    (data.commands ? "Commands are called in the folder of the module that they name."
      : "The workspace does not say which module declared a run, so there is no command; `page --module NAME` adds it.");
  for (const line of data.reproduce) {
    const code = element("pre", {}, line.code);
    const copy = element("button", {}, "Copy");
    copy.onclick = () => navigator.clipboard.writeText(line.code).then(() => { copy.textContent = "Copied"; }, () => getSelection().selectAllChildren(code));
    const missing = data.commands && !line.command ? [element("p", {}, "The modules that were named declare no such run.")] : [];
    const command = line.command ? [element("pre", {}, line.command)] : missing;
    $("#reproduce").append(element("details", {}, element("summary", {}, `${named(line)} (seeds ${line.seeds.join(", ")})`), ...command, copy, code));
  }
}

writeTexts();
prepareTable();
prepareCharts();
draw();
dark.addEventListener("change", draw);
let waiting;
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return; // a phone hides its address bar
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(draw, 100);
});
