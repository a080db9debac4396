"""What is installed from the wheel works without the checkout, with as few packages as it says."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest
from errors import refuses
from packaging.requirements import Requirement

from optexp_jax import extras

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = "optexp-jax"
PACKAGE = ROOT / "optexp_jax"
IMPORTED_AS = {"pillow": "PIL", "scikit-learn": "sklearn", "orbax-checkpoint": "orbax"}


def requirements(names):
    """What a list of requirements names, without our own extras."""
    found = [Requirement(name).name for name in names]
    return [name for name in found if name != OURS]


@pytest.mark.parametrize("extra", ["run", "wandb", "images"])
def test_extras_are_those_that_are_looked_for(extra):
    named = requirements(PROJECT["optional-dependencies"][extra])
    modules = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in named}
    assert modules == set(extras.MODULES[extra])


def test_a_missing_extra_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(extras.MODULES, "run", ("jax", "no_such_module"))
    with refuses("extra-missing", extra="run", missing=["no_such_module"]):
        extras.require.__wrapped__("run")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/optexp", "results", "list"])
    with pytest.raises(SystemExit, match="2"):
        extras.require.__wrapped__("run")
    assert "optexp-jax[run]" in capsys.readouterr().err


def imported_at_once(folder):
    """The packages of extras that the modules of a folder import when they are imported."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in tree.body]
    names = [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    names += [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    return {name.split(".")[0] for name in names} & set(extras.MODULES["run"])


@pytest.mark.parametrize("room", sorted(p.parent.name for p in PACKAGE.glob("*/__init__.py")))
def test_a_subpackage_asks_for_what_its_modules_import_and_no_more(room):
    imported = imported_at_once(PACKAGE / room)
    text = (PACKAGE / room / "__init__.py").read_text(encoding="utf-8")
    call = re.search(r"^require\((.*)\)$", text, re.MULTILINE)
    extra, *asked = ast.literal_eval(f"({call[1]},)") if call else ("run",)
    assert extra == "run"
    if room == "cli":  # a command says at once what is missing for any command
        assert not asked
    else:
        assert set(asked) == imported


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist"]
    subprocess.run([*command, "-d", str(folder)], cwd=ROOT, check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def closure(names):
    """Distributions that these need, without extras."""
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(text) for text in metadata.requires(name) or []]
        left += [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def environment(folder, packages):
    """A new environment that has links to installed packages, and pip; its Python."""
    venv.create(folder, with_pip=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in closure(packages):
        files = metadata.files(name) or []
        tops = {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            if not (site / top).exists():
                (site / top).symlink_to(metadata.distribution(name).locate_file(top))
    return folder / "bin" / "python"


def run(python, *arguments, cwd):
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True)


def install(python, wheel):
    command = [python, "-m", "pip", "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)


TRANSFORM = """
import jax.numpy as jnp, sys
from optexp_jax.losses import CrossEntropy
from optexp_jax.optim import sign_descent
from optexp_jax.per_class import sum_by_class
tx = sign_descent(0.1)
print(tx.update(jnp.array([3.0, -2.0]), tx.init(jnp.zeros(2)))[0])
assert not {"flax", "pandas", "matplotlib"} & set(sys.modules)
"""


@pytest.mark.slow
def test_the_core_needs_jax_optax_and_numpy(built, tmp_path):
    python = environment(tmp_path / "core", requirements(PROJECT["dependencies"]))
    install(python, built[0])
    done = run(python, "-c", TRANSFORM, cwd=tmp_path)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("[-0.1  0.1]", "", 0)
    for command in (["-m", "optexp_jax.results", "list"], [str(python.with_name("optexp"))]):
        done = run(python, *command, cwd=tmp_path)
        assert done.returncode == 2
        assert "optexp-jax[run]" in done.stderr
        assert "Traceback" not in done.stderr


OWN = """
from optexp_jax import Problem
from optexp_jax.cli import main
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.grid import experiments_over
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD

data = RandomHeavyTailedLabels(size=2)
problem = Problem(Linear(data.num_inputs, data.num_classes), data, CrossEntropy())
main(experiments_over([SGD("10^-1")], problem, group="own", steps=5))
"""


@pytest.mark.slow
def test_the_wheel_runs_a_module_of_ones_own(built, tmp_path):
    names = requirements(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["run"])
    python = environment(tmp_path / "run", [*names, "wandb"])
    install(python, built[0])
    (tmp_path / "own.py").write_text(OWN)
    done = run(python, "own.py", "--test", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    help_ = run(python.with_name("optexp"), "results", "--help", cwd=tmp_path)
    assert "export" in help_.stdout
    listed = run(python.with_name("optexp"), "results", "list", cwd=tmp_path)
    assert "own" in listed.stdout


@pytest.mark.slow
def test_the_source_has_what_the_readme_needs(built):
    with tarfile.open(built[1]) as archive:
        names = {Path(name).parts[1] for name in archive.getnames() if len(Path(name).parts) > 1}
    assert {"experiments", "plots", "tests", "docs", "examples", "slurm", "README.md"} <= names
