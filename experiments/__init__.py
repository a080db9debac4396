"""What the paper ran: declarations only, one short module per group of experiments."""

from optexp_jax.cli.early_help import answer_help
from optexp_jax.runner.signals import keep_for_main

answer_help(__name__, __path__[0])
keep_for_main()
