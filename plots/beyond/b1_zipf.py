"""Figure B1: steps to a tenth of the loss against the number of words, under Zipf's law."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from experiments.beyond.zipf import POWERS, SHARE, WORDS
from optexp_jax.analysis import gd_steps_to, sgd_excess, sign_steps_to, slope
from optexp_jax.frequency import zipf_law
from optexp_jax.optim import SGD, SignDescent
from optexp_jax.plotting import style
from optexp_jax.plotting.panels import Lines
from optexp_jax.plotting.sheet import sheet
from optexp_jax.results.fields import value_of
from optexp_jax.results.load import Results
from plots.claim import THEOREM, Claim
from plots.figure import PaperFigure
from plots.runs import Runs

_LAWS, _NOISE = "beyond.zipf", "beyond.zipf_noise"
_KINDS = {SGD: ("GD", "#D55E00", "o"), SignDescent: ("Sign descent", "#009E73", "^")}
_BEYOND = (512, 1024, 2048, 4096)  # words of closed forms only


def steps_to(run: Results, share: float = SHARE) -> float:
    """Steps until a run leaves a share of its loss, also at the next step; between two of them, by
    the line through their logarithms.
    """
    losses = run.table["tr_SquaredLoss"].to_numpy()
    logs = np.log(losses / losses[0]) - np.log(share)
    lasting = (logs[:-1] <= 0) & (logs[1:] <= 0)
    if not lasting.any():
        return float("nan")
    after = int(np.argmax(lasting))
    return after - logs[after] / (logs[after] - logs[after - 1])


def _measured(runs: Runs, kind: type, power: float) -> np.ndarray:
    """Steps by number of words; NaN where a run did not get there."""
    by_words = {
        value_of(r.experiment, "dataset.num_classes"): r
        for r in runs.of(_LAWS)
        if type(r.experiment.optimizer) is kind and value_of(r.experiment, "dataset.power") == power
    }
    return np.array([steps_to(by_words[words]) for words in WORDS])


def closed_form(kind: type, law: np.ndarray) -> float:
    """Steps in closed form."""
    return gd_steps_to(SHARE, law) if kind is SGD else float(sign_steps_to(SHARE, law)[0])


def _draw(runs: Runs) -> Figure:
    """A panel for each power, and one for mini-batches."""
    panels = []
    for power in POWERS:
        lines = []
        for kind, (name, color, marker) in _KINDS.items():
            sizes = np.array([*WORDS, *_BEYOND])
            exact = np.array([closed_form(kind, zipf_law(d, power)) for d in sizes])
            measured = _measured(runs, kind, power)
            fitted = slope(np.array(WORDS), measured)
            dots = {
                "color": color,
                "marker": marker,
                "ls": "",
                "ms": 4,
                "label": f"{name}, $d^{{{fitted:.2f}}}$",
            }
            lines += [
                (sizes, exact, {"color": color, "lw": 1.0}),
                (np.array(WORDS), measured, dots),
            ]
        labels = (f"$\\pi_k \\propto 1/k^{{{power:g}}}$", "Words $d$", "Steps to a tenth")
        panels.append(Lines(lines, labels, log="xy", ylim=(1.8, 6e3), legend=True, kind="steps"))
    return sheet(
        [[*panels, _noise_panel(runs)]], height=1.9, note="Lines: closed forms; points: runs."
    )


def _noise_panel(runs: Runs) -> Lines:
    """Mean excess loss of SGD, and its closed form; the bias is the same for all batches."""
    by_batch = {size: _excess(members) for size, members in _by_batch(runs).items()}
    steps, _, bias, _ = next(iter(by_batch.values()))
    lines = [(steps[1:], bias[1:], {"color": "black", "lw": 1.0, "label": "bias alone"})]
    colors = style.group_colors(len(by_batch))
    for color, (size, (_, mean, _, variance)) in zip(colors, by_batch.items(), strict=True):
        lines += [
            (steps[1:], mean[1:], {"color": color, "lw": 0.7, "label": f"{size}"}),
            (steps[1:], (bias + variance)[1:], {"color": color, "ls": "--", "lw": 1.2}),
        ]
    labels = ("SGD, batches of", "Step", "Excess loss")
    return Lines(lines, labels, log="xy", legend=True, kind="noise")


def _by_batch(runs: Runs, share: float = 0.25) -> dict[int, list[Results]]:
    """The seeds of SGD at a share of the rate 1 / π_1, by the size of batches."""
    found: dict[int, list[Results]] = {}
    for r in (r for r in runs.of(_NOISE) if len(r.table)):
        law = zipf_law(value_of(r.experiment, "dataset.num_classes"), 1.0)
        if np.isclose(float(r.experiment.optimizer.learning_rate) * law[0], share, rtol=1e-3):
            found.setdefault(value_of(r.experiment, "batching.size"), []).append(r)
    return found


def _excess(members: list[Results]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps, mean excess loss of seeds, and its bias and variance in closed form."""
    first = members[0].experiment
    steps = members[0].table["step"].to_numpy()
    mean = np.mean([m.table["va_SquaredLoss"].to_numpy() for m in members], axis=0)
    law = zipf_law(value_of(first, "dataset.num_classes"), 1.0)
    rate = float(first.optimizer.learning_rate)
    return steps, mean, *sgd_excess(steps, law, rate, value_of(first, "batching.size"))


# ---------------------------------------------------------------------------- claims


def _error_of_runs(runs: Runs) -> float:
    """Largest relative error of the steps of gradient descent, at the frequencies that were run."""
    errors = []
    for r in runs.of(_LAWS):
        if type(r.experiment.optimizer) is SGD:
            law, rate = (
                r.class_counts / r.class_counts.sum(),
                float(r.experiment.optimizer.learning_rate),
            )
            steps = r.table["step"].to_numpy()
            exact = (np.abs(1 - rate * law) ** (2 * steps[:, None])) @ law
            losses = r.table["tr_SquaredLoss"].to_numpy()
            errors.append(np.abs(losses / losses[0] / exact - 1).max())
    return float(max(errors))


def _slope(kind: type, power: float) -> Callable[[Runs], float]:
    return lambda runs: slope(np.array(WORDS), _measured(runs, kind, power))


def _saturation(runs: Runs) -> float:
    steps = np.log(_measured(runs, SGD, 1.5))
    return float((steps[-1] - steps[-2]) / (steps[1] - steps[0]))


def _times_faster(runs: Runs) -> float:
    gd, sign = (_measured(runs, kind, 1.0)[-1] for kind in (SGD, SignDescent))
    return float(gd / sign)


def _noise_error(runs: Runs) -> float:
    """Largest relative error of the mean excess loss over the second half of the runs."""
    errors = []
    for members in _by_batch(runs).values():
        steps, mean, bias, variance = _excess(members)
        late = steps >= steps[-1] / 2
        errors.append(abs(mean[late].mean() / (bias + variance)[late].mean() - 1))
    return float(max(errors))


def _floor(runs: Runs) -> float:
    """Final excess loss at the smallest batches over that at the largest."""
    means = {size: _excess(members)[1][-1] for size, members in _by_batch(runs).items()}
    return float(means[min(means)] / means[max(means)])


FIGURE = PaperFigure("B1", "Zipf laws of gradient and sign descent", (_LAWS, _NOISE), _draw)

CLAIMS = [
    Claim("B1", "GD: runs follow the closed form (largest relative error of the loss)",
          _error_of_runs, at_most=0.01, origin=THEOREM),
    Claim("B1", "power 1: steps of GD grow nearly as the words (slope)",
          _slope(SGD, 1.0), at_least=0.75),
    Claim("B1", "power 1: steps of sign descent grow as their root (slope)",
          _slope(SignDescent, 1.0), at_most=0.65),
    Claim("B1", "power 1/2: steps of GD grow as their root, too (slope)",
          _slope(SGD, 0.5), at_most=0.6),
    Claim("B1", "power 3/2: steps of GD saturate (last slope over first)",
          _saturation, at_most=0.75),
    Claim("B1", "power 1, 256 words: GD takes twice the steps of sign descent",
          _times_faster, at_least=2.0),
    Claim("B1", "SGD: excess loss is bias plus variance (relative error)",
          _noise_error, at_most=0.15, origin=THEOREM),
    Claim("B1", "SGD: batches of 4 end higher than batches of 64 (ratio of excess losses)",
          _floor, at_least=2.0),
]  # fmt: skip
