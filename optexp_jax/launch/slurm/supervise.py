"""What scripts call that were queued before `optexp_jax.schedulers.slurm` had its name."""

import runpy

if __name__ == "__main__":
    runpy.run_module("optexp_jax.schedulers.slurm.supervise", run_name="__main__")
