"""What the paper ran: declarations only, one short module per group of experiments."""

from optexp_jax.launch.signals import keep_for_main

keep_for_main()
