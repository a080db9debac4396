"""`python -m tiny_grids --slurm`."""

from optexp_jax.cli.package_main import main

if __name__ == "__main__":
    main("tiny_grids")
