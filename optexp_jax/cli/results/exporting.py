"""`export GROUP`: the rows of a group for other programs, or its best runs as a table of LaTeX."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optexp_jax.atomic_write import atomic_write
from optexp_jax.cli.results.context import ResultsContext, plain
from optexp_jax.cli.results.showing import described
from optexp_jax.cli.where import among
from optexp_jax.errors import DamagedError, OptexpError, UnreadableError
from optexp_jax.results import latex, tidy
from optexp_jax.results.load import Results, read_results
from optexp_jax.results.workspace import recorded_runs

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("parquet", "csv", "latex", "json")


def export(
    context: ResultsContext,
    group: str,
    how: str,
    by_class: bool,
    output: Path | None,
    where: Sequence[str] = (),
) -> int:
    """Write the rows of a group; 1 if some of its runs cannot be read, which are left out.

    Args:
        context: where the runs are.
        group: of the runs.
        how: one of `FORMATS`.
        by_class: rows by class instead of those of steps.
        output: a file; None for the standard output, for Parquet for a file in `exports/`.
        where: conditions that the runs meet, see `where.filtered`.

    Raises:
        OptexpError: there is no such group, or runs cannot be in one table of LaTeX.
    """
    if by_class and how == "latex":
        raise OptexpError(
            "A LaTeX table cannot have rows for each class: leave out --per-class, or choose "
            "another format.",
            code="latex-by-class",
        )
    results, problems = _results(context, group, where)
    if output is None and how == "parquet":
        suffix = "_per_class" if by_class else ""
        output = context.workspace / "exports" / f"{group}{suffix}.parquet"
    if how == "latex":
        _write_text(_tables(group, results), output)
    elif how == "csv":
        _csv(results, by_class, output)
    elif how == "json":
        _json(results, by_class, output)
    elif output is not None:
        _parquet(results, by_class, output)
    if context.json and output is not None:
        context.emit({"path": output, "runs": len(results), "left_out": problems})
    elif output is not None:
        context.say(f"{len(results)} runs: {output}")
    context.tell(problems)
    return 1 if problems else 0


def _results(
    context: ResultsContext, group: str, where: Sequence[str]
) -> tuple[list[Results], list[str]]:
    """The results of a group, and a sentence for each run that cannot be read."""
    recorded = among(recorded_runs(context.workspace, group), where)
    results, problems = [], [run.sentence for run in recorded.unread]
    for folder in context.watched(recorded.runs, "runs"):
        try:
            results.append(read_results(folder))
        except (DamagedError, UnreadableError) as error:
            problems.append(str(error))
    return results, problems


# -- formats --------------------------------------------------------------------------------------


def _parquet(results: Sequence[Results], by_class: bool, output: Path) -> None:
    with atomic_write(output) as new:
        _table(results, by_class).to_parquet(new, index=False)


def _csv(results: Sequence[Results], by_class: bool, output: Path | None) -> None:
    _write_text(_table(results, by_class).to_csv(index=False, na_rep="nan"), output)


def _table(results: Sequence[Results], by_class: bool) -> pd.DataFrame:
    return tidy.by_class(results) if by_class else tidy.by_step(results)


def _json(results: Sequence[Results], by_class: bool, output: Path | None) -> None:
    """A list of rows, which have the fields of their run and no others."""
    lines = []
    for r in results:
        known = json.dumps(plain(tidy.known_of(r.experiment, r.status)))
        for row in tidy.rows_of(r, by_class).to_dict("records"):
            lines.append(f"{known[:-1]}, {json.dumps(plain(row), allow_nan=False)[1:]}")
    _write_text("[\n" + ",\n".join(lines) + "\n]\n", output)


def _write_text(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    with atomic_write(output) as new:
        new.write_text(text, encoding="utf-8")


def _tables(group: str, results: Sequence[Results]) -> str:
    """A table for each problem and length, under a comment that says which."""
    parts: dict[tuple[object, ...], list[Results]] = {}
    for r in results:
        key = r.experiment.problem, r.experiment.epochs, r.experiment.steps
        parts.setdefault(key, []).append(r)
    texts = [
        r"% \usepackage{booktabs}: final training loss at the best hyperparameters, over seeds"
    ]
    for (_, epochs, steps), members in parts.items():
        known = described(members[0].experiment)
        length = f"{epochs} epochs" if epochs else f"{steps} steps"
        told = f"{group}: {known['model']}, {known['dataset']}, {known['batching']}, {length}"
        texts.append(f"% {told}\n{latex.best_table(members)}")
    return "\n".join(texts)
