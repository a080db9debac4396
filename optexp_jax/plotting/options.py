"""Define the options of all figure functions: metric, axes, size, names and colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from matplotlib.axes import Axes

from optexp_jax.errors import OptexpError
from optexp_jax.plotting.looks import Colors
from optexp_jax.plotting.names import Labels
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric

Log = Literal["x", "y", "both", "none"] | bool | None
LOGS = ("x", "y", "both", "none")
Size = tuple[float, float] | None


class How(TypedDict, total=False):
    """Hold how a figure looks; see the functions."""

    log: Log
    facet: str | None
    figsize: Size
    labels: Labels
    colors: Colors


class HowBest(How, total=False):
    """Hold how a figure of the best runs looks."""

    over: Sequence[str] | None


def log_axes(log: Log, x: bool = False, y: bool = False) -> tuple[bool, bool]:
    """Decide which of the two axes are logarithmic.

    Args:
        log: `x`, `y`, `both` or `none`; True for `y` and False for `none`; None for the usual ones.
        x: whether the horizontal axis usually is.
        y: whether the vertical axis usually is.

    Raises:
        OptexpError: `log` is anything else.

    >>> log_axes("x"), log_axes(True), log_axes(None, x=True)
    ((True, False), (False, True), (True, False))
    """
    if log is None:
        return x, y
    if isinstance(log, bool):
        return x, log
    if log not in LOGS:
        raise OptexpError(
            f"log must be one of {', '.join(LOGS)}, not {log!r}.",
            code="unknown-log",
            log=log,
            known=LOGS,
        )
    return log in ("x", "both"), log in ("y", "both")


def column_of(results: Sequence[Results], metric: str | None) -> str:
    """Return the column of a metric, which may lack its `tr_`; None is the training loss.

    >>> column_of([], "va_Accuracy"), column_of([], "Accuracy")
    ('va_Accuracy', 'tr_Accuracy')
    """
    return main_metric(results[0].experiment) if metric is None else with_split(metric)


def with_split(metric: str) -> str:
    """Return the column name of a metric: by default, of the training data.

    >>> with_split("va_Accuracy"), with_split("Accuracy")
    ('va_Accuracy', 'tr_Accuracy')
    """
    return metric if metric.startswith(("tr_", "va_")) else f"tr_{metric}"


def require_one_panel(titles: Sequence[str], ax: Axes | None) -> None:
    """Refuse several panels on one pair of axes.

    Raises:
        OptexpError: there are several panels; names what to leave out.
    """
    if ax is not None and len(titles) > 1:
        raise OptexpError(
            f"This figure has {len(titles)} panels ({'; '.join(titles)}), but ax is one panel: "
            "pass the runs of one of them, or leave out ax.",
            code="several-panels",
            panels=tuple(titles),
        )
