"""`python -m experiments --list | --local | --report`."""

from experiments.small import planned
from optexp_jax.cli.package_main import main

if __name__ == "__main__":
    main("experiments", plan=planned)
