"""`python -m optexp_jax.datasets list | describe NAME | prepare NAME ...`."""

from optexp_jax.cli.datasets_main import main

if __name__ == "__main__":
    raise SystemExit(main())
