// Legends, controls and texts; then everything is drawn.

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
