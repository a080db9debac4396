"""The same optimizer on a small transformer that predicts the next word of Shakespeare.

Run `python examples/new_optimizer_on_text.py --local`; `--plot --perclass` shows the rare words.
"""

from new_optimizer import SoftSign

from optexp_jax import MiniBatch, Problem, lr_grid
from optexp_jax.cli import main
from optexp_jax.datasets import ShakespeareExcerpt, Streams, Words
from optexp_jax.grid import experiments_over, grid
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Transformer
from optexp_jax.optim import Adam, Cosine

text = ShakespeareExcerpt(Words(1000), Streams(16, 32), share=0.01, evaluated=128)
model = Transformer(text.vocabulary, text.num_classes, depth=2, num_heads=2, width=64)
problem = Problem(model, text, CrossEntropy(), MiniBatch(16, shuffle=False))

both = {"learning_rate": lr_grid(-4, -2), "schedule": Cosine(warmup="10%"), "clip": 1.0}
optimizers = [*grid(Adam, **both), *grid(SoftSign, softness=1e-4, **both)]
experiments = experiments_over(
    optimizers, problem, group="soft-sign-text", steps=100, eval_every=10, per_class=True
)

if __name__ == "__main__":
    main(experiments)
