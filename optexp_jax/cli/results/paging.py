"""`page GROUP` and `page --all`: results as HTML files that open without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optexp_jax.atomic_write import atomic_write
from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.errors import OptexpError, cause_of, remedy_of
from optexp_jax.pages import commands_of, index_of, page_of, read_group
from optexp_jax.results.workspace import READABLE, groups


def page(
    context: ResultsContext, group: str | None, modules: Sequence[str], folder: Path | None
) -> int:
    """Write the page of a group, or those of all and an index; 1 if runs cannot be read.

    Args:
        context: where the runs are.
        group: name of a group, None for all.
        modules: of experiments, whose commands the pages show.
        folder: of the pages, None for `pages/` in the workspace.

    Raises:
        OptexpError: there is no such group or module, or a page cannot be written.
    """
    names = groups(context.workspace, READABLE) if group is None else [group]
    if not names:
        raise OptexpError(
            f"The workspace {context.workspace} holds no runs: run some first, or set "
            "OPTEXP_WORKSPACE.",
            code="workspace-empty",
            workspace=context.workspace,
        )
    folder = folder or context.workspace / "pages"
    known = commands_of(modules)
    read = []
    for name in context.watched(names, "pages"):
        read.append(read_group(context.workspace, name))
        _write(folder / f"{name}.html", page_of(read[-1], known, index=group is None))
    if group is None:
        _write(folder / "index.html", index_of(read))
    _say(context, folder, names, group is None)
    problems = [sentence for found in read for sentence in found.problems]
    context.tell(problems)
    return 1 if problems else 0


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
