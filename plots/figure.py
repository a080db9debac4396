"""A figure of the paper as a value, and the layout that most of them have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from optexp_jax.optim import SGD, Adam, NormalizedGD, SignDescent
from optexp_jax.plotting.panels import ByGroup, Counts, Overall
from optexp_jax.plotting.sheet import sheet
from plots.runs import Chosen, Runs
from plots.smooth import TITLE, smooth

Method = tuple[type, bool]  # a kind of optimizer, and whether with momentum
WITH_MOMENTUM: tuple[Method, ...] = ((SGD, True), (Adam, True))
FOUR_KINDS = (SGD, Adam, NormalizedGD, SignDescent)
_FITTED = 0.01  # nats
HORIZON = 400  # of figures 18 and 24, whose runs may be longer or shorter


@dataclasses.dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    Args:
        number: as in the camera-ready paper, such as `20`; a name for what is no figure of it.
        title: what it shows, in a line.
        modules: of experiments, that it is drawn from.
        draw: the figure from the runs; raises `MissingRunsError` where they are not there.
        slower: a module with smaller learning rates, that the figure can do without.
        parts: whether panels are left out whose modules have no form at a scale.
    """

    number: str
    title: str
    modules: tuple[str, ...]
    draw: Callable[[Runs], Figure]
    slower: str = ""
    parts: bool = False

    def needed(self, runs: Runs) -> tuple[str, ...]:
        """The modules that it is drawn from at the scale of runs; none where it is not drawn."""
        found = tuple(module for module in self.modules if runs.have(module))
        return found if self.parts or len(found) == len(self.modules) else ()

    @property
    def file(self) -> str:
        """Name of its files, without ending."""
        return f"figure_{int(self.number):02d}" if self.number.isdigit() else self.number


def there(modules: Mapping[str, str | tuple[str, ...]], runs: Runs) -> list[str]:
    """The panels that a scale has experiments for.

    Args:
        modules: of experiments, by name of the panel.
        runs: at some scale.

    Raises:
        MissingRunsError: there is none.
    """
    wanted = {name: (m,) if isinstance(m, str) else m for name, m in modules.items()}
    found = [name for name, parts in wanted.items() if runs.have(*parts)]
    if not found:
        runs.of(*dict.fromkeys(module for parts in wanted.values() for module in parts))
    return found


def figure_name(number: str) -> str:
    """How a figure is called in a sentence.

    >>> figure_name("6"), figure_name("B1"), figure_name("legends")
    ('Figure 6', 'Figure B1', 'Legends')
    """
    return f"Figure {number}" if number.removeprefix("B").isdigit() else number.capitalize()


def until(horizon: int | None) -> str:
    """Say where the lines of a figure end; empty at the end of the runs."""
    return (
        f"Up to step {horizon}, as in the paper, or to the end of shorter runs" if horizon else ""
    )


def main_figure(
    number: str, title: str, module: str, metric: str | None = None, slower: str = ""
) -> PaperFigure:
    """The figure of a problem: its classes, the loss of all, and of groups for each method.

    With `slower`, a module of smaller learning rates, each method is shown without spikes.
    """

    def draw(runs: Runs) -> Figure:
        chosen = _chosen(runs, (module,), slower, (SGD, Adam))
        panels = [Counts.of(chosen.any), Overall(chosen.only(*WITH_MOMENTUM), metric=metric)]
        by_group = [ByGroup(chosen.worst(*method), metric=metric) for method in WITH_MOMENTUM]
        return sheet([[*panels, *by_group]], chosen.any, chosen.note)

    return _smoothly(PaperFigure(number, title, (module,), draw), slower)


def _chosen(
    runs: Runs,
    modules: tuple[str, ...],
    slower: str,
    kinds: tuple[type, ...],
    horizon: int | None = None,
) -> Chosen:
    """Each method at its best learning rate, or at the best without spikes."""
    if slower:
        return smooth(runs, *modules, slower=slower, kinds=kinds, step=horizon)
    return runs.chosen(*modules, step=horizon)


def _smoothly(figure: PaperFigure, slower: str) -> PaperFigure:
    """Name the rule in the title, and the module of smaller learning rates."""
    title = f"{figure.title}, {TITLE}" if slower else figure.title
    return dataclasses.replace(figure, title=title, slower=slower)


def beside(name: str, plain: Chosen, rare_name: str, rare: Chosen, log: bool = False) -> Figure:
    """The loss on a problem without rare classes beside one with them, and groups of the latter.

    On a logarithmic axis early losses far above the start can be read, too; it ends where classes
    are fitted.
    """
    kind = "loss" if log else name
    panels = [
        Overall(plain.only(*WITH_MOMENTUM), name, log=log, kind=kind),
        Overall(rare.only(*WITH_MOMENTUM), rare_name, log=log),
        *(ByGroup(rare.worst(*method), log=log) for method in WITH_MOMENTUM),
    ]
    figure = sheet([panels], rare.any, rare.note)
    for axes in figure.axes if log else ():
        axes.set_ylim(bottom=_FITTED)
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
    return figure


@dataclasses.dataclass(frozen=True)
class Part:
    """Where one half of a figure comes from: a module, or a group of its experiments."""

    module: str
    group: str | None = None

    def chosen(self, runs: Runs) -> Chosen:
        """Its runs, each method at its best learning rate."""
        return runs.chosen(self.module, group=self.group)


def uniform_and_rare(
    number: str, title: str, uniform: Part, rare: Part, log: bool = False
) -> PaperFigure:
    """The figure of a model on classes of one size, and on classes with a heavy tail."""

    def draw(runs: Runs) -> Figure:
        chosen = uniform.chosen(runs), rare.chosen(runs)
        return beside("Uniform classes", chosen[0], "Heavy tail", chosen[1], log)

    modules = tuple(dict.fromkeys((uniform.module, rare.module)))
    return PaperFigure(number, title, modules, draw)


def optimizers_figure(
    number: str,
    title: str,
    *modules: str,
    kinds: tuple[type, ...],
    horizon: int | None = None,
    slower: str = "",
) -> PaperFigure:
    """Groups of classes for many optimizers: without momentum above, with momentum below.

    Learning rates are compared, and lines end, at the horizon; None for the end of the runs. With
    `slower`, a module of smaller learning rates, each method is shown without spikes.
    """

    def draw(runs: Runs) -> Figure:
        chosen = _chosen(runs, modules, slower, kinds, horizon)
        rows = [
            [ByGroup(chosen.worst(kind, momentum), step=horizon) for kind in kinds]
            for momentum in (False, True)
        ]
        notes = (until(horizon), chosen.note)
        return sheet(rows, chosen.any, "; ".join(filter(None, notes)))

    return _smoothly(PaperFigure(number, title, modules, draw), slower)
