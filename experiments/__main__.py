"""`python -m experiments --list | --local | --report`."""

from experiments.small import small
from optexp_jax.launch.groups import main

if __name__ == "__main__":
    main("experiments", small=small)
