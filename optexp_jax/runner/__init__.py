"""Run experiments on this machine, one pack after the other, and resume interrupted runs."""

from optexp_jax.extras import require

require("run", "rich")
