"""Train packs of runs: a pure step and a thin loop that yields records, without files or plots."""

from optexp_jax.extras import require

require("run")
