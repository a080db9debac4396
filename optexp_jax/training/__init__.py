"""Train packs of runs: pure steps, and a loop that yields records. Reads and writes no files."""

from optexp_jax.extras import require

require("run", "flax")
