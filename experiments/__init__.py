"""What the paper ran: declarations only, one short module per group of experiments."""

from optexp_jax.extras import require

require("run")

from optexp_jax.runner.signals import keep_for_main

keep_for_main()
