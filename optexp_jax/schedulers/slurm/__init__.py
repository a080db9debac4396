"""SLURM: its programs, its scripts, and what runs inside a task."""

from optexp_jax.schedulers.slurm.scheduler import SLURM as SCHEDULER

__all__ = ["SCHEDULER"]
