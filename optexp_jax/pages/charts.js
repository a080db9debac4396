// The charts: each is drawn anew whenever something changes.

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
  plotted($("#grid .chart"), "Final training loss against learning rate", {
    height: 340 + 10 * rows.length, marginTop: 28 + 10 * rows.length, marks,
    x: axis("Learning rate", [...points, ...lost].map((p) => p.x), true, { inset: 14 }),
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
  const ranks = by_class.classes.map((c) => c.rank);
  const whole = d3.ticks(1, d3.max(ranks), 8).filter(Number.isInteger);
  const most = d3.max(by_class.lines, (line) => d3.max(line.values[0])) ?? 1;
  const y = axis(by_class.label, [], false, { grid: true, domain: [0, 1.25 * most], clamp: true });
  plotted($("#by_class .chart"), `Loss of each class at step ${step}`, {
    height: 360, marginTop: 28, marks, y,
    x: axis("Rank of the class, from the most frequent to the rarest", ranks, by_class.log, by_class.log ? { inset: 8 } : { inset: 8, ticks: whole, tickFormat: "d" }),
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
