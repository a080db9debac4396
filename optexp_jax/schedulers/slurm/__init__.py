"""Grids on a SLURM cluster: what to send, sending it, and what runs inside a task."""
