"""`show ID`: the details of a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.results.listing import number
from optexp_jax.cli.tables import first_and_last
from optexp_jax.errors import DamagedError, UnreadableError
from optexp_jax.experiment import Experiment
from optexp_jax.grid import method_name
from optexp_jax.identity import encode, encode_fields
from optexp_jax.results import changes
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.selection import main_metric
from optexp_jax.results.sizes import in_words, size_of
from optexp_jax.results.store import RunFolder
from optexp_jax.results.workspace import READABLE, run_at, run_path

_DECADES = 100.0  # the span from which an axis is logarithmic
_STATUS = ("started", "updated", "host", "cores", "pack_seconds", "reason")


def show(context: ResultsContext, wanted: str) -> int:
    """Show definition, status, last metrics and curve of a run; 1 if it is damaged.

    Raises:
        OptexpError: no run has this id, several have, or its definition cannot be read.
    """
    folder = run_at(context.workspace, run_path(context.workspace, wanted, READABLE))
    try:
        results = read_results(folder)
    except (DamagedError, UnreadableError) as error:
        if context.json:
            context.emit(_definition(folder) | {"status": "damaged", "problem": str(error)})
        else:
            _show_definition(context, folder)
            context.tell([str(error)])
        return 1
    if context.json:
        context.emit(_definition(folder) | _recorded(results))
        return 0
    _show_definition(context, folder)
    _show_status(context, results)
    if len(results.table):
        _show_rows(context, results)
    return 0


# -- for programs ---------------------------------------------------------------------------------


def _definition(folder: RunFolder) -> dict[str, Any]:
    document = json.loads(folder.experiment.to_json())
    return {"path": folder.path, "bytes": size_of(folder.path), "definition": document}


def _recorded(results: Results) -> dict[str, Any]:
    rows = results.table.to_dict("records")
    return {
        "status": results.status,
        "details": results.details,
        "changed": changes.changed_classes(results.experiment, results.details),
        "rows": len(rows),
        "first": rows[0] if rows else None,
        "last": rows[-1] if rows else None,
    }


# -- for people -----------------------------------------------------------------------------------


def _show_definition(context: ResultsContext, folder: RunFolder) -> None:
    experiment = folder.experiment
    table = _two_columns()
    for name, text in described(experiment).items():
        table.add_row(name, escape(text))
    table.add_row("folder", escape(f"{folder.path} ({in_words(size_of(folder.path))})"))
    rate = experiment.optimizer.learning_rate
    context.say(f"{method_name(experiment.optimizer)} {rate}, seed {experiment.seed}")
    context.console.print(table)


def described(experiment: Experiment) -> dict[str, str]:
    """Describe the definition of an experiment, one entry for each field.

    >>> from optexp_jax.optim import SGD
    >>> in_words_of(encode(SGD("10^-1")))
    'SGD(learning_rate=10^-1, momentum=0.0)'
    """
    fields = encode_fields(experiment)
    problem = fields.pop("problem")
    problem.pop("type")
    length = f"{experiment.epochs} epochs" if experiment.epochs else f"{experiment.steps} steps"
    known = {"id": experiment.id, "group": experiment.group}
    known |= {name: in_words_of(value) for name, value in problem.items()}
    known["optimizer"] = in_words_of(encode(experiment.optimizer))
    known["length"] = f"{length}, a row every {experiment.eval_every}"
    known["per class"] = "yes" if experiment.per_class else "no"
    if experiment.keep_steps:
        known["parameters"] = f"saved at steps {', '.join(map(str, experiment.keep_steps))}"
    return known


def in_words_of(encoded: Any) -> str:
    """A value of `identity.encode` as Python writes it."""
    if isinstance(encoded, list):
        return f"({', '.join(map(in_words_of, encoded))})"
    if not isinstance(encoded, dict):
        return str(encoded)
    if encoded.get("type") == "LearningRate":
        return str(encoded["value"])
    fields = [f"{name}={in_words_of(v)}" for name, v in encoded.items() if name != "type"]
    return f"{encoded['type']}({', '.join(fields)})"


def _show_status(context: ResultsContext, results: Results) -> None:
    said: dict[str, Any] = results.details
    table = _two_columns()
    total = f" of {said['total_steps']}" if "total_steps" in said else ""
    table.add_row("status", f"{results.status}, step {said.get('step', 0)}{total}")
    for name in _STATUS:
        if said.get(name) is not None:
            table.add_row(name.replace("_", " "), escape(str(said[name])))
    for name in ("versions", "settings"):
        if said.get(name):
            text = ", ".join(f"{key} {value}" for key, value in said[name].items())
            table.add_row(name, escape(text))
    for i, (time, status, step) in enumerate(said.get("history", [])):
        table.add_row("" if i else "history", f"{time} {status}, step {step}")
    context.console.print(table)
    for sentence in changes.sentences([changes.changed_classes(results.experiment, said)]):
        context.say(sentence)


def _show_rows(context: ResultsContext, results: Results) -> None:
    last = results.table.iloc[-1]
    shown = last.drop("step").items()
    metrics = [f"{name} {number(value) or '-'}" for name, value in shown]
    context.say(f"At step {int(last['step'])}: {', '.join(metrics)}")
    metric = main_metric(results.experiment)
    if metric not in results.table:
        return
    context.console.print(first_and_last(results))
    width = shutil.get_terminal_size().columns
    losses = results.table[metric].to_numpy(float)
    for line in chart(results.table["step"].to_numpy(), losses, metric, width):
        context.console.print(Text.from_ansi(line), soft_wrap=True)


def chart(steps: np.ndarray, losses: np.ndarray, metric: str, width: int) -> Sequence[str]:
    """The curve of a loss for the terminal, on a logarithmic axis where it spans decades.

    Args:
        steps: of the rows.
        losses: one for each.
        metric: its name.
        width: columns of the terminal.
    """
    import uniplot

    steps, losses = steps[np.isfinite(losses)], losses[np.isfinite(losses)]
    if len(steps) < 2:
        return []
    text: Any = uniplot.plot_to_string(
        xs=steps,
        ys=losses,
        lines=True,
        y_as_log=bool(0 < losses.min() < losses.max() / _DECADES),
        width=max(min(width - 14, 100), 16),
        height=14,
        title=f"{metric} against the step",
    )
    return text.splitlines() if isinstance(text, str) else list(text)


def _two_columns() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table
