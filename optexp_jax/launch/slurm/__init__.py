"""The old name of `optexp_jax.schedulers.slurm`."""
