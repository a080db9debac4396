"""A figure of the paper as a value, and the layout that most of them have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from matplotlib.figure import Figure

from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent
from optexp_jax.plotting.panels import ByGroup, Counts, Overall
from optexp_jax.plotting.sheet import sheet
from plots.runs import Chosen, Runs

Method = tuple[type, bool]  # a kind of optimizer, and whether with momentum
WITH_MOMENTUM: tuple[Method, ...] = ((SGD, True), (Adam, True))
FOUR_KINDS = (SGD, Adam, NormalizedGD, SignDescent)
HORIZON = 400  # of figures 18 and 24, whose runs may be longer or shorter


@dataclasses.dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    Args:
        number: as in the camera-ready paper, such as `20`; a name for what is no figure of it.
        title: what it shows, in a line.
        modules: of experiments, that it is drawn from.
        draw: the figure from the runs; raises `MissingRunsError` where they are not there.
    """

    number: str
    title: str
    modules: tuple[str, ...]
    draw: Callable[[Runs], Figure]

    @property
    def file(self) -> str:
        """Name of its files, without ending."""
        return f"figure_{int(self.number):02d}" if self.number.isdigit() else self.number


def until(horizon: int | None) -> str:
    """What a figure says of where its lines end; nothing of the end of the runs."""
    return (
        f"Up to step {horizon}, as in the paper, or to the end of shorter runs" if horizon else ""
    )


def main_figure(number: str, title: str, module: str, metric: str | None = None) -> PaperFigure:
    """The figure of a problem: its classes, the loss of all, and of groups for each method."""

    def draw(runs: Runs) -> Figure:
        chosen = runs.chosen(module)
        panels = [Counts.of(chosen.any), Overall(chosen.only(*WITH_MOMENTUM), metric=metric)]
        by_group = [ByGroup(chosen.worst(*method), metric=metric) for method in WITH_MOMENTUM]
        return sheet([[*panels, *by_group]], chosen.any, chosen.note)

    return PaperFigure(number, title, (module,), draw)


def beside(name: str, plain: Chosen, rare_name: str, rare: Chosen) -> Figure:
    """The loss on a problem without rare classes beside one with them, and groups of the latter."""
    panels = [
        Overall(plain.only(*WITH_MOMENTUM), name, kind=name),
        Overall(rare.only(*WITH_MOMENTUM), rare_name),
        *(ByGroup(rare.worst(*method)) for method in WITH_MOMENTUM),
    ]
    return sheet([panels], rare.any, rare.note)


@dataclasses.dataclass(frozen=True)
class Part:
    """Where one half of a figure comes from: a module, or a group of its experiments."""

    module: str
    group: str | None = None

    def chosen(self, runs: Runs) -> Chosen:
        """Its runs, each method at its best step size."""
        return runs.chosen(self.module, group=self.group)


def uniform_and_rare(number: str, title: str, uniform: Part, rare: Part) -> PaperFigure:
    """The figure of a model on classes of one size, and on classes with a heavy tail."""

    def draw(runs: Runs) -> Figure:
        return beside("Uniform classes", uniform.chosen(runs), "Heavy tail", rare.chosen(runs))

    modules = tuple(dict.fromkeys((uniform.module, rare.module)))
    return PaperFigure(number, title, modules, draw)


def optimizers_figure(
    number: str, title: str, *modules: str, kinds: tuple[type, ...], horizon: int | None = None
) -> PaperFigure:
    """Groups of classes for many optimizers: without momentum above, with momentum below.

    Step sizes are compared, and lines end, at the horizon; None for the end of the runs.
    """

    def draw(runs: Runs) -> Figure:
        chosen = runs.chosen(*modules, step=horizon)
        rows = [
            [ByGroup(chosen.worst(kind, momentum), step=horizon) for kind in kinds]
            for momentum in (False, True)
        ]
        notes = (until(horizon), chosen.note)
        return sheet(rows, chosen.any, "; ".join(filter(None, notes)))

    return PaperFigure(number, title, modules, draw)
