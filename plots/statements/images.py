"""Claims on losses of models of images."""

from __future__ import annotations

from plots import measures as m
from plots.appendix_figures import BARCODED_ONLY, CNN_OPTIMIZERS, LAYER_NORM, VIT, VIT_FULL
from plots.claim import PAPER, Claim
from plots.paper_figures import BARCODED, MNIST, RARE_IMAGES, UNIFORM_IMAGES
from plots.runs import Runs
from plots.statements.shared import sign_claims


def _images(figure: str, name: str, uniform, rare) -> list[Claim]:
    """What figures 3, 15 and 17 say: the second gap is that of the heavy tail."""

    def widens(runs: Runs) -> float:
        return m.overall_gap(rare(runs)) - m.overall_gap(uniform(runs))

    def grows(runs: Runs) -> float:
        chosen = rare(runs)
        gaps = m.groups(chosen.worst(*m.GD)) - m.groups(chosen.worst(*m.ADAM))
        return float(gaps[m.RAREST] - gaps[m.MOST_FREQUENT])

    return [
        Claim(
            figure, f"{name}: the gap of SGD to Adam is wider under a heavy tail (nats more)",
            widens, at_least=0.0, origin=PAPER,
        ),
        Claim(
            figure, f"{name}: the gap is wider on the rarest group than on the most frequent",
            grows, at_least=0.0, origin=PAPER,
        ),
    ]  # fmt: skip


def _largest_loss(runs: Runs, module: str, early: bool) -> float:
    """The larger of the losses of GD and Adam, at the end or at a third of the run."""
    chosen = runs.chosen(module)
    if early:
        chosen = runs.chosen(module, step=m.early(chosen.any))
    return max(m.overall(chosen.worst(*k), chosen.step) for k in (m.GD, m.ADAM))


STATEMENTS = [
    Claim(
        "2", "MNIST: GD and Adam both fit it (larger of the losses)",
        lambda runs: _largest_loss(runs, MNIST, early=False), at_most=0.1,
    ),
    Claim(
        "2", "CNN: both fit the frequent half (larger of the losses)",
        lambda runs: max(m.groups(runs.chosen(BARCODED).worst(*k))[0] for k in (m.GD, m.ADAM)),
        at_most=0.5,
    ),
    Claim(
        "2", "CNN: Adam has at most a third of GD's loss on the rare half",
        lambda runs: m.rarest_ratio(runs.chosen(BARCODED), m.ADAM, m.GD), at_most=1 / 3,
    ),
    *_images(
        "3", "ResNet-18", lambda runs: runs.chosen(UNIFORM_IMAGES),
        lambda runs: runs.chosen(RARE_IMAGES),
    ),
    *_images(
        "15", "ResNet-18 with LayerNorm",
        lambda runs: runs.chosen(LAYER_NORM, group="ResNet18LayerNorm_SmallImageNet"),
        lambda runs: runs.chosen(LAYER_NORM, group="ResNet18LayerNorm_HeavyTailedImageNet"),
    ),
    Claim(
        "16", "ViT on balanced classes: the gap of SGD to Adam over the loss at the start",
        lambda runs: abs(m.overall_gap(runs.chosen(VIT_FULL)))
        / m.overall(runs.chosen(VIT_FULL).any, 0),
        at_most=0.1,
    ),
    *_images(
        "17", "ViT", lambda runs: runs.chosen(VIT, group="SimpleViT_SmallImageNet"),
        lambda runs: runs.chosen(VIT, group="SimpleViT_HeavyTailedImageNet"),
    ),
    Claim(
        "18", "barcodes only: both fit them in a third of the run (larger of the losses)",
        lambda runs: _largest_loss(runs, BARCODED_ONLY, early=True), at_most=0.05,
    ),
    *sign_claims("24", "CNN", CNN_OPTIMIZERS),
]  # fmt: skip
