"""What the paper draws and claims, from the runs in the workspace."""

from optexp_jax.runner.signals import keep_for_main

keep_for_main()

import optexp_jax.plotting  # noqa: E402, F401  # imports Matplotlib, whatever MPLBACKEND says
