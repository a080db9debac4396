"""The list of all groups of a package, within 80 columns and without names that are cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_WIDTH = 80
_COLUMNS = (
    ("runs", 6),
    ("done", 6),
    ("diverged", 10),
    ("failed", 8),
    ("left", 6),
    ("data", 6),
    ("minutes", 9),
)
_NAME = _WIDTH - sum(width for _, width in _COLUMNS)


class Group(NamedTuple):
    """A group as the list shows it.

    Args:
        module: that declares it, below its package.
        name: of the group.
        statuses: of its runs.
        has_data: whether its data are here, or need no files.
        seconds: about how long its runs take; None where it is not known.
        figure: the figures of the paper that show it.
    """

    module: str
    name: str
    statuses: Sequence[str]
    has_data: bool
    seconds: float | None
    figure: str = ""


def lines(groups: Iterable[Group]) -> Iterator[str]:
    """The lines of the list: a heading, then each module with its figure, and its groups."""
    yield _row("module, group", [name for name, _ in _COLUMNS])
    module = None
    for group in groups:
        if group.module != module:
            module = group.module
            yield from _fitting(
                module, f"figure {group.figure}" if group.figure not in ("", "none") else ""
            )
        yield from _group_lines(group)


def figure_of(docstring: str | None) -> str:
    """The figures that the docstring of a module of experiments names.

    >>> figure_of("Text.\\n\\nFigure: 4, 22 (learning rates)\\nTime: long.")
    '4, 22'
    >>> figure_of("Text.\\n\\nFigure: none; figure 6 is like it"), figure_of(None)
    ('none', '')
    """
    found = re.search(r"^Figure: ([^;(\n]*)", docstring or "", re.MULTILINE)
    return found[1].strip(" .") if found else ""


def _fitting(name: str, right: str) -> Iterator[str]:
    if len(name) + 2 + len(right) <= _WIDTH:
        yield f"{name}{right:>{_WIDTH - len(name)}}".rstrip()
        return
    yield name
    yield f"{right:>{_WIDTH}}"


def _group_lines(group: Group) -> Iterator[str]:
    counts = [group.statuses.count(status) for status in ("done", "diverged")]
    counts.append(group.statuses.count("failed") + group.statuses.count("damaged"))
    total = len(group.statuses)
    cells = [total, *counts, total - sum(counts), "yes" if group.has_data else "no"]
    minutes = "?" if group.seconds is None else f"{group.seconds / 60:.1f}"
    name = f"  {group.name}"
    if len(name) > _NAME:
        yield name
        name = ""
    yield _row(name, [*map(str, cells), minutes])


def _row(name: str, cells: Sequence[str]) -> str:
    shown = zip(_COLUMNS, cells, strict=True)
    return f"{name:{_NAME}}" + "".join(f"{cell:>{width}}" for (_, width), cell in shown)
