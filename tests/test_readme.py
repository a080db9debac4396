"""What the README shows is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import blocks

from optexp_jax.config import Settings
from optexp_jax.datasets.catalogue import CATALOGUE

README = Path(__file__).parent.parent / "README.md"
DATASETS = README.parent / "docs" / "datasets.md"
SETTINGS = README.parent / "docs" / "settings.md"


EXPERIMENT, LOOP = blocks(README)


def python(*arguments, cwd):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, timeout=900
    )


def test_the_training_loop_prints_a_loss_for_each_group(tmp_path):
    (tmp_path / "loop.py").write_text(LOOP)
    done = python("loop.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"classes \[.*\]: loss \d\.\d{3}", done.stdout)) == 3


@pytest.mark.slow
def test_the_experiment_of_ones_own_runs_and_draws(tmp_path):
    (tmp_path / "my_experiment.py").write_text(EXPERIMENT)
    for options in (["--test"], ["--local"], ["--plot"], ["--plot", "--perclass"]):
        done = python("my_experiment.py", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    plots = tmp_path / "workspace" / "plots" / "my_experiment"
    assert {p.stem for p in plots.glob("*.png")} == {
        *("final_loss", "best_runs", "per_class", "per_class_test"),
    }


def test_the_page_of_data_sets_names_every_class():
    page = DATASETS.read_text(encoding="utf-8")
    names = {type(dataset).__name__ for dataset in CATALOGUE.values()}
    assert all(f"`{name}" in page for name in names)


def test_the_table_of_settings_names_every_variable():
    source = (README.parent / "optexp_jax" / "config.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"(OPTEXP_\w+)"', source))
    # Modules say `wandb_projects`, the environment does not.
    assert len(used) == len(Settings.__dataclass_fields__) - 1
    assert all(f"| `{name}` |" in SETTINGS.read_text(encoding="utf-8") for name in used)
