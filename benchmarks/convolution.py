"""A training step of the paper's CNN, inside the scan, as multiples of PyTorch's.

    python benchmarks/convolution.py [--batch 512] [--repeats 5]

Both forms of a convolution, timed where training happens: in a scan over steps. Needs the extra
`bench` (PyTorch) for the comparison; without it only the two forms are compared.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.models import CNN, convolution
from optexp_jax.models.functional import functional
from optexp_jax.training.compiler import compiler_options

CLASSES, RATE = 1000, 0.01


def jax_step(batch: int, form: str, steps: int) -> Callable[[], None]:
    """A function that runs some steps in one scan with one form of the convolution."""
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.normal(size=(batch, 28, 28, 1)), jnp.float32)
    labels = jnp.asarray(rng.integers(CLASSES, size=batch))
    model = functional(CNN(CLASSES))
    params, _ = model.init(jax.random.key(0), images[:1])

    def loss(params, images):
        logits = jax.nn.log_softmax(model.apply(params, {}, images, {}, True)[0])
        return -logits[jnp.arange(batch), labels].mean()

    @jax.jit
    def run(params, images):
        def one(params, _):
            grads = jax.grad(loss)(params, images)
            return jax.tree.map(lambda p, g: p - RATE * g, params, grads), None

        return jax.lax.scan(one, params, length=steps)[0]

    with convolution.form(form):
        compiled = run.lower(params, images).compile(compiler_options())
    return lambda: jax.block_until_ready(compiled(params, images))


def torch_step(batch: int, steps: int) -> Callable[[], None]:
    """The same steps in PyTorch."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.manual_seed(0)
    images = torch.randn(batch, 1, 28, 28)
    labels = torch.randint(CLASSES, (batch,))
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(32, 100, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(4900, CLASSES),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)

    def run() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()

    return run


def seconds(run: Callable[[], None], steps: int) -> float:
    """Seconds per step."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) / steps


def main() -> None:
    """Time all of them in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=512, help="images per step")
    parser.add_argument("--repeats", type=int, default=5, help="times that each is timed")
    parser.add_argument("--slow", action="store_true", help="also XLA's convolution on a CPU")
    options = parser.parse_args()
    steps = 3
    runs = {"slices": jax_step(options.batch, "slices", steps)}
    if options.slow or jax.default_backend() != "cpu":
        runs["convolution"] = jax_step(options.batch, "convolution", steps)
    with contextlib.suppress(ImportError):
        runs["PyTorch"] = torch_step(options.batch, steps)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repeats + 1):  # the first is a warm-up
        for name, run in runs.items():
            times[name].append(seconds(run, steps))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    base = medians.get("PyTorch", medians["slices"])
    print(f"batch {options.batch}, {jax.default_backend()}, {steps} steps in one scan")
    for name, value in medians.items():
        print(f"{name:12} {1000 * value:9.1f} ms per step   ratio {value / base:5.2f}")


if __name__ == "__main__":
    main()
