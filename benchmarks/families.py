"""What is timed: one full-batch problem for each family of models, with metrics by class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from benchmarks.drawn import Drawn
from optexp_jax import Experiment, LearningRate, Problem
from optexp_jax.datasets import HeavyTailedOneHot, RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy, SquaredLoss
from optexp_jax.models import CNN, GPT, Linear, SimpleViT, Transformer
from optexp_jax.models.resnet import ResNet
from optexp_jax.optim import SGD, Adam

_ADAM = Adam(LearningRate(-4))
# More steps than any measurement takes: the runs are stopped, not finished.
STEPS = 10**8
SIZES = ("cpu", "gpu", "quick", "tiny")


@dataclasses.dataclass(frozen=True)
class Family:
    """A problem at the size of a CPU, of a GPU, for a quick look, and to try the benchmark itself.

    Args:
        problem: of a size: `cpu`, `gpu`, `quick` (a quarter of the examples) or `tiny`.
        optimizer: at a rate at which nothing diverges.
        gpu_only: whether it is too large for two cores.
    """

    problem: Callable[[str], Problem]
    optimizer: Any = _ADAM
    gpu_only: bool = False

    def experiment(self, size: str, **changes: Any) -> Experiment:
        """A run that nobody waits for the end of."""
        fields = {"group": "benchmark", "steps": STEPS, "per_class": True} | changes
        return Experiment(self.problem(size), fields.pop("optimizer", self.optimizer), **fields)


def _linear(size: str) -> Problem:
    data = HeavyTailedOneHot(10 if size == "tiny" else 1000)
    return Problem(Linear(data.num_inputs, data.num_classes), data, SquaredLoss())


def _softmax(m: int) -> Callable[[str], Problem]:
    def problem(size: str) -> Problem:
        data = RandomHeavyTailedLabels(3 if size == "tiny" else m, seed=0)
        return Problem(Linear(data.num_inputs, data.num_classes), data, CrossEntropy())

    return problem


def _examples(numbers: dict[str, int], size: str) -> int:
    return max(1, numbers["cpu"] // 4) if size == "quick" else numbers[size]


def _shallow(model: Any, size: str) -> Any:
    """The model; for a quick look with two blocks at most, since more only compile for longer."""
    deep = size == "quick" and getattr(model, "depth", 0) > 2
    return model.clone(depth=2) if deep else model


def _images(make: Callable[[int], Any], side: int, channels: int, classes: int, **numbers: int):
    def problem(size: str) -> Problem:
        tiny = size == "tiny"
        shape = (min(side, 64) if tiny else side,) * 2 + (channels,)
        data = Drawn(_examples(numbers, size), shape, 20 if tiny else classes)
        return Problem(_shallow(make(data.num_classes), size), data, CrossEntropy())

    return problem


def _text(make: Callable[[int], Any], words: int, time: int, **numbers: int):
    def problem(size: str) -> Problem:
        tiny = size == "tiny"
        data = Drawn(
            _examples(numbers, size), (8 if tiny else time,), 50 if tiny else words, text=True
        )
        model = _shallow(make(data.num_classes), size)
        if tiny:
            model = model.clone(depth=1, width=8 * model.num_heads, width_mlp=16)
        return Problem(model, data, CrossEntropy())

    return problem


def _transformer(depth: int, heads: int, width: int) -> Callable[[int], Transformer]:
    return lambda words: Transformer(words, words, depth, heads, width, width)


def _gpt(depth: int, heads: int, width: int) -> Callable[[int], GPT]:
    return lambda words: GPT(words, words, depth, heads, width, dropout=0.0)


def _layer_resnet(classes: int) -> ResNet:
    return ResNet(classes, norm="layer")


_GD = SGD(LearningRate(-2))

FAMILIES = {
    "linear": Family(_linear, SGD(LearningRate(-1))),
    "softmax7": Family(_softmax(7), _GD),
    "softmax8": Family(_softmax(8), _GD),
    "softmax9": Family(_softmax(9), _GD),
    "cnn": Family(_images(CNN, 28, 1, 10_250, cpu=1024, gpu=4096, tiny=16)),
    "resnet18": Family(_images(_layer_resnet, 224, 3, 1000, cpu=8, gpu=128, tiny=2)),
    "vit": Family(_images(SimpleViT, 224, 3, 1000, cpu=8, gpu=128, tiny=2)),
    "transformer1": Family(_text(_transformer(1, 1, 300), 2000, 35, cpu=256, gpu=2048, tiny=4)),
    "ptb": Family(_text(_transformer(2, 4, 1000), 10_000, 35, cpu=64, gpu=512, tiny=4)),
    "gpt": Family(_text(_gpt(4, 8, 512), 10_000, 512, cpu=4, gpu=16, tiny=2)),
    "gpt2": Family(_text(_gpt(12, 12, 768), 50_257, 1024, cpu=1, gpu=4, tiny=1), gpu_only=True),
}
