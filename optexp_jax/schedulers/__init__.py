"""Submit experiments to a scheduler such as SLURM."""
