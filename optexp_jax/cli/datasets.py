"""`python -m optexp_jax.datasets`: list, describe and prepare data sets."""

from __future__ import annotations

import dataclasses
import inspect
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from optexp_jax.cli.display import preparing
from optexp_jax.cli.prepare import tell
from optexp_jax.datasets.base import facts_of
from optexp_jax.datasets.catalogue import CATALOGUE, named
from optexp_jax.datasets.data import CountsClasses, Data, Dataset, Facts, InFiles, Split
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.loading import loaded
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.errors import OptexpError
from optexp_jax.runner import preparation

_UNKNOWN = "?"
_MOST_GROUPS = 40
_CAPTION = (
    "imbalance: examples of the most frequent class / of the least frequent class\n"
    f"offline: works now without a network; prepared: loads at once\n"
    f"{_UNKNOWN}: known once the data set is prepared"
)


@dataclasses.dataclass(frozen=True)
class DataContext:
    """The values that every command needs.

    Args:
        workspace: where the data are.
        console: where to print.
    """

    workspace: Path
    console: Console

    def say(self, text: str) -> None:
        """Print a line as it is."""
        self.console.print(escape(text), highlight=False, soft_wrap=True)


def show_list(context: DataContext) -> int:
    """Show a table of all data sets."""
    table = Table(caption=_CAPTION, caption_justify="left")
    table.add_column("name", overflow="fold")
    for name in ("classes", "train", "validation", "imbalance"):
        table.add_column(name, justify="right")
    table.add_column("offline")
    table.add_column("prepared")
    damages = {}
    for name, dataset in CATALOGUE.items():
        offline, ready = _is_here(dataset, context.workspace)
        facts = facts_of(dataset)
        try:
            facts = _counted(dataset, facts, context.workspace) if offline and ready else facts
        except OptexpError as error:
            damages[name] = str(error)
        state = _yes(ready) if isinstance(dataset, InFiles) else "[green]drawn[/green]"
        table.add_row(
            name,
            f"{dataset.num_classes:,}",
            _number(facts.train),
            "= train" if facts.validation == 0 else _number(facts.validation),
            _UNKNOWN if facts.ratio is None else f"{facts.ratio:,.{1 if facts.ratio < 10 else 0}f}",
            _yes(offline),
            "[red]damaged[/red]" if name in damages else state,
        )
    context.console.print(table)
    for name, sentence in damages.items():
        context.say(f"{name}: {sentence}")
    context.say("Details of one: python -m optexp_jax.datasets describe NAME")
    return 0


def prepare(context: DataContext, names: Sequence[str]) -> int:
    """Download and prepare data sets; a failure does not stop the others.

    Raises:
        OptexpError: an unknown name.
    """
    chosen = dict(named(name) for name in names)
    with preparing(context.console) as report:
        ready, failures = preparation.prepare(list(chosen.values()), context.workspace, report)
    for name, dataset in chosen.items():
        if dataset in ready:
            drawn = "" if isinstance(dataset, InFiles) else ": it is generated when it is needed"
            context.say(f"{name} is ready{drawn}.")
    return tell(failures)


def describe(context: DataContext, name: str, n_groups: int | None) -> int:
    """Show the class frequencies of a data set, and draw them.

    Raises:
        OptexpError: an unknown name, too many groups, or data that are not here.
    """
    name, dataset = named(name)
    if n_groups is not None and n_groups > _MOST_GROUPS:
        raise OptexpError(
            f"--groups must be at most {_MOST_GROUPS}: choose a smaller number.",
            code="too-many-groups",
            most=_MOST_GROUPS,
        )
    counts, validation = _counts(context, dataset)
    groups = dataset.groups(counts, n_groups)
    empty = len(counts) - np.count_nonzero(counts)
    about = inspect.getdoc(type(dataset)) or name  # Python can leave docstrings out
    context.say(f"{name}: {about.splitlines()[0]}")
    context.say(
        f"{dataset.num_classes:,} classes{f', {empty:,} of them empty' if empty else ''}; "
        f"{counts.sum():,} training targets; "
        f"{f'{validation:,} validation targets' if validation else 'validation on the same'}"
    )
    context.console.print(_group_table(counts, groups))
    for line in _chart(counts, groups, min(shutil.get_terminal_size().columns - 12, 100)):
        context.console.print(Text.from_ansi(line), soft_wrap=True)
    from optexp_jax.plotting import class_counts, save

    figure = class_counts(counts, groups, name, "training targets")
    for path in save(figure, context.workspace / "plots" / "datasets", name):
        context.say(f"Figure: {path}")
    return 0


def _counts(context: DataContext, dataset: Dataset) -> tuple[np.ndarray, int]:
    """Class counts and number of validation targets of a data set, prepared first if it is here."""
    if isinstance(dataset, InFiles):
        sentence = dataset.missing(context.workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=type(dataset).__name__)
        with preparing(context.console) as report:
            prepare_once(dataset, context.workspace, report)
    if isinstance(dataset, CountsClasses):
        facts = facts_of(dataset)
        return dataset.class_counts(context.workspace), facts.validation or 0
    data_of_it = loaded(dataset, context.workspace)
    return data_of_it.class_counts, _targets(data_of_it)


def _is_here(dataset: Dataset, workspace: Path) -> tuple[bool, bool]:
    """Whether a data set needs no network, and whether it loads at once."""
    if not isinstance(dataset, InFiles):
        return True, True
    return dataset.missing(workspace) is None, dataset.is_prepared(workspace)


def _counted(dataset: Dataset, facts: Facts, workspace: Path) -> Facts:
    """Facts in which what was not known is counted.

    Raises:
        OptexpError: the data are damaged.
    """
    if None not in dataclasses.astuple(facts):
        return facts
    found = Facts.of(preparation.class_counts_of(dataset, workspace))
    validation = facts.validation
    if validation is None:
        validation = _targets(loaded(dataset, workspace))
    return Facts(found.train, validation, found.ratio)


def _targets(whole: Data) -> int:
    split = whole.validation
    if split is None:
        return 0
    return int((np.asarray(split.labels) >= 0).sum()) if isinstance(split, Split) else len(split)


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def _yes(value: bool) -> str:
    return "[green]yes[/green]" if value else "[dim]no[/dim]"


def _group_table(counts: np.ndarray, groups: Sequence[np.ndarray]) -> Table:
    """Numbers of each group that is not empty."""
    table = Table(title="Groups of classes, most to least frequent")
    for name in ("group", "classes", "training targets", "share", "targets of a class"):
        table.add_column(name, justify="right")
    for i, (group, color) in enumerate(zip(groups, _colors(len(groups)), strict=True)):
        if len(group):
            low, high, total = counts[group].min(), counts[group].max(), counts[group].sum()
            red, green, blue = color
            table.add_row(
                f"[rgb({red},{green},{blue})]■[/] {i + 1}",
                f"{len(group):,}",
                f"{total:,}",
                f"{total / counts.sum():.1%}",
                f"{low:,}" if low == high else f"{high:,} to {low:,}",
            )
    return table


def _chart(counts: np.ndarray, groups: Sequence[np.ndarray], width: int) -> list[str]:
    """Counts against ranks, for the terminal."""
    import uniplot

    from optexp_jax.plotting.class_counts import ranked

    shown = [(ranked(counts, g), c) for g, c in zip(groups, _colors(len(groups)), strict=True)]
    shown = [(points, color) for points, color in shown if len(points[0])]
    chart: Any = uniplot.plot_to_string(
        xs=[x for (x, _), _ in shown],
        ys=[y for (_, y), _ in shown],
        color=[color for _, color in shown],
        x_as_log=True,
        y_as_log=True,
        width=max(width, 30),
        height=14,
        title="Training targets of each class against its rank",
    )
    return chart.splitlines() if isinstance(chart, str) else list(chart)


def _colors(count: int) -> list[tuple[int, int, int]]:
    """Colours of groups, lighter than in figures: terminals are dark as often as not."""
    from optexp_jax.plotting.style import group_colors

    return [
        (int(96 + 0.62 * 255 * r), int(96 + 0.62 * 255 * g), int(96 + 0.62 * 255 * b))
        for r, g, b, _ in group_colors(count)
    ]
