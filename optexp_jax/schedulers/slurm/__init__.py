"""Call SLURM's programs, write its scripts, and run inside its tasks."""

from optexp_jax.schedulers.slurm.scheduler import SLURM as SCHEDULER

__all__ = ["SCHEDULER"]
