"""`page GROUP` and `page --all`: results as HTML files that open without a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.atomic_write import atomic_write
from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.where import filtered
from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.pages import Group, commands_of, index_of, page_of, read_group
from optexp_jax.results.workspace import READABLE, RecordedRuns, groups, recorded_runs


def page(
    context: ResultsContext,
    group: str | None,
    modules: Sequence[str],
    folder: Path | None,
    where: Sequence[str] = (),
) -> int:
    """Write the page of a group, or those of all and an index; 1 if runs cannot be read.

    Args:
        context: where the runs are.
        group: name of a group, None for all.
        modules: of experiments, whose commands the pages show.
        folder: of the pages, None for `pages/` in the workspace.
        where: conditions that the runs meet, see `where.filtered`; groups without such runs have
            no page.

    Raises:
        OptexpError: there is no such group or module, or a page cannot be written.
    """
    found = _chosen(context, group, where)
    names = list(found)
    if not names:
        raise OptexpError(
            f"There are no runs in the workspace {context.workspace}: run an experiment first, or "
            "set OPTEXP_WORKSPACE.",
            code="workspace-empty",
            workspace=context.workspace,
        )
    folder = folder or context.workspace / "pages"
    known = commands_of(modules)
    read = []
    for name in context.watched(names, "pages"):
        read.append(_noted(read_group(context.workspace, name, found[name]), where))
        _write(folder / f"{name}.html", page_of(read[-1], known, index=group is None))
    if group is None:
        _write(folder / "index.html", index_of(read))
    _say(context, folder, names, group is None)
    problems = [sentence for one in read for sentence in one.problems]
    context.tell(problems)
    return 1 if problems else 0


def _chosen(
    context: ResultsContext, group: str | None, where: Sequence[str]
) -> dict[str, RecordedRuns]:
    """The runs that pages show, by group."""
    names = groups(context.workspace, READABLE) if group is None else [group]
    every = {name: recorded_runs(context.workspace, name) for name in names}
    if not where:
        return every
    runs = [run for recorded in every.values() for run in recorded.runs]
    chosen = {id(run) for run in filtered(runs, where, lambda folder: folder.experiment)}
    kept = {n: r._replace(runs=[f for f in r.runs if id(f) in chosen]) for n, r in every.items()}
    return {name: recorded for name, recorded in kept.items() if recorded.runs}


def _noted(group: Group, where: Sequence[str]) -> Group:
    """A group whose page says which runs it shows."""
    notes = [f"Only runs with {' and '.join(where)}."] if where else []
    return dataclasses.replace(group, notes=notes)


def _say(context: ResultsContext, folder: Path, names: Sequence[str], index: bool) -> None:
    paths = [folder / f"{name}.html" for name in names]
    first = folder / "index.html" if index else paths[0]
    if context.json:
        context.emit({"index": first if index else None, "pages": paths})
    else:
        others = f" and {len(paths)} pages" if index else ""
        context.say(f"{first}{others}: open it in a browser; it needs no network.")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptexpError(
            f"The page {path} cannot be written ({cause_of(error)}): {remedy_of(error)}, or name "
            "another folder with --output.",
            code="page-unwritable",
            path=path,
            cause=cause_of(error),
        ) from error
