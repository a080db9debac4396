"""The workspace: the results of runs, stored as files."""

from optexp_jax.extras import require

require("run", "pandas", "pyarrow")
