"""What is checked, by name: `nox -l` lists it, `nox -s lint types` runs two of them.

Each session makes an environment of its own. `nox --no-venv -s ...` uses the one that is active,
which has the extra `dev`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

OLDEST, NEWEST = "3.11", "3.13"
# Where versions of Python, JAX or pandas may matter; the rest is the same with all of them.
SENSITIVE = [
    *("tests/test_losses.py", "tests/test_per_class.py", "tests/test_identity.py"),
    *("tests/cli", "tests/models", "tests/optim", "tests/results", "tests/runner"),
    "tests/training",
]
LOWEST = ["tests/results", "tests/datasets", "tests/plotting", *SENSITIVE[:3]]


def install(session: nox.Session, *what: str) -> None:
    """Install into the environment of a session, where it has one."""
    if session.venv_backend != "none":
        session.install(*what)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Style and import rules."""
    install(session, "-e", ".[dev]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Types: strict for what stands alone, standard for the rest."""
    install(session, "-e", ".[dev]")
    session.run("pyright")


@nox.session(python=[OLDEST, "3.12", NEWEST])
def tests(session: nox.Session) -> None:
    """The fast tests: 4 to 8 minutes on two cores."""
    install(session, "-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=OLDEST)
def slow(session: nox.Session) -> None:
    """The slow tests: clusters, browsers, killed processes, wandb; 20 minutes."""
    install(session, "-e", ".[test,docs]")
    # A worker more than cores, and files in their order: the tests of the cluster mostly wait.
    options = ["-m", "slow", "-n", "3", "--no-loadscope-reorder"]
    session.run("python", "-m", "pytest", *options, *session.posargs)


@nox.session(python=NEWEST)
def newest(session: nox.Session) -> None:
    """Tests on the newest Python, which gets the newest JAX, where that may matter."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-n", "2", *(session.posargs or SENSITIVE))


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """Tests with the lowest versions that pyproject.toml allows, where that may matter."""
    session.install("--no-deps", "-r", f"requirements/lowest-{OLDEST}.txt")
    session.install("--no-deps", "-e", ".")
    # Old libraries warn of what newer ones that they stand on will drop.
    options = ["-n", "2", "-W", "default::DeprecationWarning"]
    session.run("python", "-m", "pytest", *options, *(session.posargs or LOWEST))


@nox.session(python=NEWEST)
def lock(session: nox.Session) -> None:
    """Resolve the versions in requirements/ anew: newest for two Pythons, and the lowest."""
    session.install("uv")
    common = ["--extra", "test", "--no-annotate", "--custom-compile-command", "nox -s lock", "-U"]
    for version, name, *options in (
        (OLDEST, "locked"),
        (NEWEST, "locked"),
        (OLDEST, "lowest", "--resolution", "lowest-direct"),
    ):
        file = f"requirements/{name}-{version}.txt"
        command = ["uv", "pip", "compile", "pyproject.toml", "--python-version", version]
        session.run(*command, *common, *options, "-o", file, silent=True)


@nox.session(python=OLDEST)
def coverage(session: nox.Session) -> None:
    """Which lines the fast tests run; at least 92 %."""
    install(session, "-e", ".[dev]")
    # The number of processes stands here: pytest-cov asks for it before conftest.py chooses it.
    options = [
        "-n",
        "2",
        "--cov=optexp_jax",
        "--cov-report=term:skip-covered",
        "--cov-fail-under=92",
    ]
    session.run("python", "-m", "pytest", *options, *session.posargs)


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """The site in docs/_build/html; a warning fails."""
    install(session, "-e", ".[docs]")
    shutil.rmtree("docs/_build", ignore_errors=True)
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """What is timed, with small sizes: do the programs still run?"""
    install(session, "-e", ".[bench]")
    session.run("bash", "benchmarks/on_gpu.sh", "--tiny")


@nox.session(python=NEWEST)
def release(session: nox.Session) -> None:
    """Build the wheel and the source distribution in dist/, and check them; nothing is sent."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, sorted(Path("dist").iterdir())))
