// The table of runs: sorted by a click, filtered by words.

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
