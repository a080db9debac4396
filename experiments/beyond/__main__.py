"""`python -m experiments.beyond --list | --local | --report`."""

from experiments.small import planned, planned_medium
from optexp_jax.cli.package_main import main

if __name__ == "__main__":
    main("experiments.beyond", plan=planned, medium=planned_medium)
