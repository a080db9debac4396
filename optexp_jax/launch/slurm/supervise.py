"""Old name of `optexp_jax.schedulers.slurm.supervise`, for scripts that are still queued."""

import runpy

if __name__ == "__main__":
    runpy.run_module("optexp_jax.schedulers.slurm.supervise", run_name="__main__")
