"""Fill the templates of the page of a group, and of the index of all pages."""

from __future__ import annotations

import dataclasses
import datetime
import html
import importlib.resources
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optexp_jax.errors import DamagedError, OptexpError, UnreadableError
from optexp_jax.pages import charts, definitions, runs
from optexp_jax.plotting.available import chosen_runs, missing_note
from optexp_jax.results import changes
from optexp_jax.results.fields import RATE
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.store import RunFolder
from optexp_jax.results.workspace import RecordedRuns, recorded_runs
from optexp_jax.version import VERSION

NONE: definitions.Commands = {}

_FILES = importlib.resources.files("optexp_jax.pages")
_SCRIPTS = ("looks.js", "charts.js", "table.js", "page.js")
_LIBRARIES = (("d3.min.js", "LICENSE-d3.txt"), ("plot.umd.min.js", "LICENSE-plot.txt"))


@dataclasses.dataclass(frozen=True)
class Group:
    """Hold the runs of a group in a workspace.

    Args:
        name: of the group.
        workspace: where it is.
        results: of its runs, without arrays by class.
        problems: a sentence on each run that cannot be read.
        notes: further sentences for its page.
    """

    name: str
    workspace: Path
    results: Sequence[Results]
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()


def read_group(workspace: Path, name: str, recorded: RecordedRuns | None = None) -> Group:
    """Read the runs of a group.

    Args:
        workspace: where they are.
        name: of the group.
        recorded: the runs to read, None for all.

    Raises:
        OptexpError: there is no such group.
    """
    recorded = recorded_runs(workspace, name) if recorded is None else recorded
    results, problems = [], [run.sentence for run in recorded.unread]
    for folder in recorded.runs:
        try:
            results.append(read_results(folder, by_class=False))
        except (DamagedError, UnreadableError) as error:
            problems.append(str(error))
    return Group(name, workspace, results, problems)


# -- data -----------------------------------------------------------------------------------------


def data_of(group: Group, known: definitions.Commands = NONE) -> dict[str, Any]:
    """Collect all that the page of a group shows, ready for JSON.

    Args:
        group: what to show.
        known: the commands of runs, see `commands_of`.
    """
    results = group.results
    methods = charts.methods_of(results) if results else {}
    chosen, why = _chosen(results)
    changed = changes.sentences(changes.changed_classes(r.experiment, r.details) for r in results)
    notes = [note for note in (*group.notes, why, *changed, *group.problems) if note]
    return {
        "group": group.name,
        "about": about(group),
        "methods": list(methods.values()),
        "columns": [dict(zip(("key", "title", "number"), c, strict=True)) for c in runs.COLUMNS],
        "runs": runs.rows(results, methods, chosen),
        "counts": runs.counted(results),
        "made": runs.made_between(results),
        "notes": notes,
        "definitions": definitions.definitions(results),
        "versions": runs.versions(results),
        "commands": bool(known),
        **(_drawn(group, methods, chosen, known) if chosen else {}),
    }


def _chosen(results: Sequence[Results]) -> tuple[charts.Chosen, str]:
    """Choose the runs for charts, with a sentence on what they lack or why there are none."""
    if not results:
        return {}, "No run can be read."
    try:
        chosen = chosen_runs(results, over=(RATE,))
        note = missing_note(results)
    except OptexpError as error:
        return {}, str(error)
    return chosen, note[:1].upper() + note[1:]


def _drawn(
    group: Group, methods: charts.Methods, chosen: charts.Chosen, known: definitions.Commands
) -> dict[str, Any]:
    return {
        "grid": charts.grid(group.results, methods, chosen),
        "curves": charts.curves(methods, chosen),
        "by_class": charts.by_class(methods, chosen, lambda r: _with_arrays(group.workspace, r)),
        "reproduce": definitions.reproductions(methods, chosen, known),
    }


def _with_arrays(workspace: Path, results: Results) -> Results:
    return read_results(RunFolder(workspace, results.experiment))


# -- text -----------------------------------------------------------------------------------------


def page_of(group: Group, known: definitions.Commands = NONE, index: bool = False) -> str:
    """Write the page of a group as HTML.

    Args:
        group: what to show.
        known: the commands of runs, see `commands_of`.
        index: whether the page is beside an index, to which it links.
    """
    scripts = (
        f"<script>\n/*\n{_text(f'vendor/{said}')}*/\n{_text(f'vendor/{name}')}</script>"
        for name, said in _LIBRARIES
    )
    return _filled(
        "page.html",
        title=html.escape(group.name),
        back='<a href="index.html">All groups</a>' if index else "",
        made=html.escape(_made()),
        data=embedded(data_of(group, known)),
        libraries="\n".join(scripts),
        script="\n".join(map(_text, _SCRIPTS)),
    )


def index_of(groups: Sequence[Group]) -> str:
    """Write the index of the pages of groups; these lie beside it as `<group>.html`."""
    return _filled(
        "index.html",
        rows="\n".join(map(_index_row, groups)),
        made=html.escape(_made()),
        total=str(sum(len(group.results) for group in groups)),
        groups=str(len(groups)),
    )


def _index_row(group: Group) -> str:
    counts = runs.counted(group.results)
    rest = {name: n for name, n in counts.items() if name not in ("done", "diverged")}
    if group.problems:
        rest["cannot be read"] = len(group.problems)
    optimizers = charts.methods_of(group.results).values() if group.results else ()
    name = html.escape(group.name)
    numbers = (len(group.results), counts.get("done", 0), counts.get("diverged", ""))
    texts = (
        ", ".join(f"{n} {name}" for name, n in rest.items()),
        about(group),
        ", ".join(look["label"] for look in optimizers),
    )
    cells = [
        f'<td><a href="{name}.html">{name}</a></td>',
        *(f'<td class="number">{number}</td>' for number in numbers),
        *(f'<td class="text">{html.escape(text)}</td>' for text in texts),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def about(group: Group) -> str:
    """Describe the model and the data of a group in a few words."""
    problems = [r.experiment.problem for r in group.results]
    kinds = ((type(p.model).__name__, type(p.dataset).__name__) for p in problems)
    return ", ".join(f"{model} on {dataset}" for model, dataset in dict.fromkeys(kinds))


def embedded(data: Any) -> str:
    """Encode data as JSON that is safe inside an HTML script.

    >>> embedded({"a": "</script>"})
    '{"a":"\\\\u003c/script>"}'
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c")


def _made() -> str:
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    return f"optexp-jax {VERSION}, {today}"


def _filled(template: str, **places: str) -> str:
    """Fill the places `{{name}}` of a template, and the style that all pages share."""
    first, *rest = _text(template).split("{{")
    parts = [first]
    for piece in rest:
        name, _, after = piece.partition("}}")
        parts += [_text("page.css") if name == "style" else places[name], after]
    return "".join(parts)


def _text(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")
