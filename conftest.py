"""Plain `pytest` uses two processes; what is of one file, or stops inside a test, uses one."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

# Shapes are checked while tests run, where a function does not check them itself.
CHECKED = [
    "optexp_jax.analysis",
    "optexp_jax.frequency",
    "optexp_jax.losses.functions",
    "optexp_jax.plotting.arrays",
    "optexp_jax.targets",
]
install_import_hook(CHECKED, "shape_checks.checked")

PROCESSES = 2
# What needs PyTorch is not searched for examples where it is not installed.
collect_ignore = [] if find_spec("torch") else ["tools/reference"]


def pytest_configure(config):
    """Let the fast suite compile quickly: most of its time is that of the compiler.

    The slow tests have the programs that people run, but where their modules ask for
    `quickly_compiled`.
    """
    if config.option.markexpr == "not slow":
        os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # before JAX is imported


@pytest.hookimpl(tryfirst=True)  # before xdist reads its options
def pytest_cmdline_main(config):
    """Choose the number of processes where nobody did, and give each whole files."""
    option = config.option
    if "numprocesses" not in option or hasattr(config, "workerinput"):
        return  # without xdist, or in one of its processes
    if option.numprocesses is None and not (_looks_inside(option) or _names_a_file(config)):
        option.numprocesses = PROCESSES
    if option.numprocesses and option.dist == "no":
        option.dist = "loadfile"  # fixtures of a module are made once


def _looks_inside(option):
    return option.usepdb or option.trace or option.capture == "no"


def _names_a_file(config):
    return any(Path(argument.partition("::")[0]).is_file() for argument in config.args)
