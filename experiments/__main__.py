"""`python -m experiments --list | --local | --report`."""

from experiments.small import planned, planned_medium
from optexp_jax.cli.package_main import main

if __name__ == "__main__":
    main("experiments", plan=planned, medium=planned_medium, listed_too=("experiments.beyond",))
