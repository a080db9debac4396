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

// Colours, symbols, axes: how charts look.

// Colours are those of the figures, lighter on a dark page and darker on a light one.
function shown(color) {
  const lch = d3.lch(color);
  lch.l = dark.matches ? Math.max(lch.l, 62) : Math.min(lch.l, 72);
  return lch.formatHex();
}

const look = (i) => ({ ...data.methods[i], color: shown(data.methods[i].color) });
const named = (line) => data.methods[line.method].label + (line.rate ? `, learning rate ${line.rate}` : "");
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
