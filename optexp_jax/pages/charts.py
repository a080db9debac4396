"""Collect the data of the charts of a page: the grid, the best runs, losses by class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.pages.numbers import short, shortened
from optexp_jax.plotting import style
from optexp_jax.plotting.by_class import group_label
from optexp_jax.plotting.curves import column, group_series, groups_of, over_seeds, thin, worst_of
from optexp_jax.plotting.finals import final_values
from optexp_jax.results.load import Results
from optexp_jax.results.selection import main_metric, method_of, worst_seed

CLASSES = 200  # drawn at most, evenly over the ranks of their frequencies
STEPS = 60  # of the slider at most
_LINEAR = 30  # classes that have a linear axis of ranks

# Markers of Matplotlib -> filled symbol of D3 (stars are chosen rates), degrees it is turned by.
SYMBOLS = {
    "o": ("circle", 0), "s": ("square", 0), "^": ("triangle", 0), "v": ("triangle", 180),
    "<": ("triangle", 270), ">": ("triangle", 90), "D": ("diamond", 0), "d": ("diamond", 90),
    "P": ("cross", 0), "X": ("cross", 45), "p": ("wye", 0), "h": ("wye", 180), "8": ("square", 45),
    # Figures mark newer optimizers with letters.
    "$L$": ("triangle", 45), "$S$": ("square", 22), "$F$": ("cross", 22), "$W$": ("wye", 90),
    "$M$": ("diamond", 45), "$P$": ("triangle", 135), "$O$": ("wye", 270), "": ("circle", 0),
    "$Q$": ("cross", 67), "$A$": ("square", 67), "$Y$": ("wye", 45), "$C$": ("diamond", 22),
}  # fmt: skip

Methods = Mapping[Optimizer, dict[str, Any]]  # how each is shown, in the order of the page
Chosen = Mapping[Optimizer, list[Results]]


def methods_of(results: Sequence[Results]) -> dict[Optimizer, dict[str, Any]]:
    """List every method with its name, colour, dashes and symbol, as in figures."""
    methods = list(dict.fromkeys(method_of(r.experiment.optimizer) for r in results))
    looks = style.looks(methods, results[0].experiment.problem.batching)
    return {method: _look(look) for method, look in looks.items()}


def _look(look: style.Look) -> dict[str, Any]:
    _, dashes = look.linestyle if isinstance(look.linestyle, tuple) else (0, ())
    symbol, turn = SYMBOLS.get(look.marker, ("circle", 0))
    return {
        "label": style.plain(look.label),
        "color": to_hex(look.color),
        "dash": [3 * part for part in dashes],
        "symbol": symbol,
        "turn": turn,
    }


def grid(results: Sequence[Results], methods: Methods, chosen: Chosen) -> dict[str, Any]:
    """Return the final training loss against the learning rate, as `plot_final_loss` shows it.

    Args:
        results: of one problem, at least one of them finished.
        methods: of the page.
        chosen: the runs of each method at its best learning rate.
    """
    metric = main_metric(results[0].experiment)
    finals = final_values(results, metric)
    best = {method: of[0].experiment.optimizer.learning_rate for method, of in chosen.items()}
    log = bool(finals.spans_decades())
    floor = finals.floor if log else -np.inf
    points, lost = [], []
    for i, method in enumerate(methods):
        for rate, values in finals.values.get(method, {}).items():
            worst = float(worst_of(metric, values))
            point = {"method": i, "rate": str(rate), "x": float(rate) if has_rate(method) else None}
            if np.isnan(worst):
                lost.append(point)
                continue
            low, high = (max(float(end), floor) for end in (values.min(), values.max()))
            points.append(
                point
                | {
                    "end": short(worst),
                    "y": short(max(worst, floor)),
                    "low": short(low),
                    "high": short(high),
                    "seeds": len(values),
                    "unstable": (method, rate) in finals.unstable,
                    "chosen": best.get(method) == rate and has_rate(method),
                }
            )
    return {
        "points": points,
        "lost": lost,
        "start": short(finals.start),
        "log": log,
        "raised": bool(finals.shown().min() < floor),
        "label": f"{style.metric_label(metric)} at the end",
    }


def curves(methods: Methods, chosen: Chosen) -> list[dict[str, Any]]:
    """Return each metric over time, of the worst seed of each method at its best learning rate.

    Args:
        methods: of the page.
        chosen: the runs of each method at its best learning rate, of at least one.

    Returns:
        the training loss first.
    """
    first = next(iter(chosen.values()))[0]
    main = main_metric(first.experiment)
    shown = [name for name in first.table if name[:3] in ("tr_", "va_")]
    of_metric = ({"metric": name, **_curves(name, methods, chosen)} for name in shown)
    found = [of for of in of_metric if of["lines"]]
    return sorted(found, key=lambda of: of["metric"] != main)


def _curves(metric: str, methods: Methods, chosen: Chosen) -> dict[str, Any]:
    lines = []
    for i, method in enumerate(methods):
        seeds = chosen.get(method, [])
        recorded = [r for r in seeds if _has(r, metric)]
        if not recorded:
            continue
        curve = over_seeds(metric, recorded, [column(r, metric) for r in recorded], "step")
        spread = bool((curve.low < curve.high).any())
        lines.append(
            {
                "method": i,
                "rate": _rate(recorded[0].experiment.optimizer),
                "seeds": len(recorded),
                "x": [int(x) for x in curve.x],
                "y": shortened(curve.worst),
                "low": shortened(curve.low) if spread else None,
                "high": shortened(curve.high) if spread else None,
            }
        )
    return {"label": style.metric_label(metric), "loss": "Loss" in metric, "lines": lines}


def _has(results: Results, metric: str) -> bool:
    return metric in results.table and not np.isnan(results.table[metric].to_numpy(float)).all()


def _rate(optimizer: Optimizer) -> str:
    return str(optimizer.learning_rate) if has_rate(optimizer) else ""


def by_class(
    methods: Methods, chosen: Chosen, with_arrays: Callable[[Results], Results]
) -> dict[str, Any] | None:
    """Return the training loss of groups and of classes by step, at the best learning rates.

    Args:
        methods: of the page.
        chosen: the runs of each method at its best learning rate; the worst seed is shown.
        with_arrays: reads the arrays by class of one of them.

    Returns:
        None if nothing was recorded by class.
    """
    read = {method: with_arrays(worst_seed(seeds)) for method, seeds in chosen.items()}
    metric = f"{main_metric(next(iter(read.values())).experiment)}PerClass"
    read = {m: r for m, r in read.items() if metric in r.per_class and len(r.per_class[metric])}
    if not read:
        return None
    first = next(iter(read.values()))
    groups = groups_of(first)
    order = np.argsort(-first.class_counts, kind="stable")
    order = order[first.class_counts[order] > 0]
    shown = thin(len(order), CLASSES)
    colors = [to_hex(color) for color in style.group_colors(len(groups))]
    ranks = np.empty(len(first.class_counts))
    ranks[order] = np.arange(1, len(order) + 1)
    lines = []
    for i, method in enumerate(methods):
        if method in read:
            lines.append({"method": i, **_arrays(read[method], metric, order[shown])})
    return {
        "label": style.metric_label(metric),
        "log": len(order) > _LINEAR,
        "classes": [
            {"id": int(k), "rank": int(ranks[k]), "examples": int(first.class_counts[k])}
            for k in order[shown]
        ],
        "num_classes": len(order),
        "groups": [
            {
                "label": group_label(first.class_counts[group]),
                "color": color,
                "rank": short(float(np.exp(np.log(ranks[group]).mean()))),
            }
            for group, color in zip(groups, colors, strict=True)
            if len(group)
        ],
        "lines": lines,
    }


def _arrays(run: Results, metric: str, classes: np.ndarray) -> dict[str, Any]:
    rows = thin(len(run.per_class_steps), STEPS)
    series = [s for s in group_series(run, metric) if len(s)]
    groups = [s.reindex(run.per_class_steps).to_numpy()[rows] for s in series]
    values = run.per_class[metric][rows][:, classes]
    return {
        "rate": _rate(run.experiment.optimizer),
        "seed": run.experiment.seed,
        "steps": [int(step) for step in np.asarray(run.per_class_steps)[rows]],
        "groups": [shortened(group) for group in groups],
        "values": [shortened(row) for row in values],
    }
