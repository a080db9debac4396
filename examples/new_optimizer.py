"""A new optimizer against Adam on the paper's linear problem: warm-up, cosine and clipping.

Run `python examples/new_optimizer.py --local`; then draw the learning rates with `--plot`.
"""

import dataclasses

import jax
import jax.numpy as jnp
import optax

from experiments.linreg import problem
from optexp_jax import LearningRate, lr_grid, register
from optexp_jax.cli import main
from optexp_jax.grid import experiments_over, grid
from optexp_jax.optim import Adam, Cosine, DecayModifiers, inject_rate


def soft_sign(learning_rate, softness):
    """Descend along m / (|m| + softness): sign descent that slows down near the optimum."""
    soft = optax.stateless(lambda u, _: jax.tree.map(lambda m: m / (jnp.abs(m) + softness), u))
    return optax.chain(optax.ema(0.9), soft, optax.scale_by_learning_rate(learning_rate))


@register("soft-sign")
@dataclasses.dataclass(frozen=True, repr=False)
class SoftSign(DecayModifiers):
    learning_rate: LearningRate
    softness: float = 1e-3

    def transform(self):
        return inject_rate(soft_sign, self.learning_rate, softness=self.softness)


both = {"learning_rate": lr_grid(-3, -1), "schedule": Cosine(warmup="10%"), "clip": 1.0}
optimizers = [*grid(Adam, **both), *grid(SoftSign, softness=(1e-2, 1e-4), **both)]
experiments = experiments_over(optimizers, problem, group="soft-sign", steps=100)

if __name__ == "__main__":
    main(experiments)
