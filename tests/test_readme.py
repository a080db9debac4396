"""What the README shows is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from optexp_jax.config import Settings

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
EXPERIMENT, LOOP = BLOCKS


def python(*arguments, cwd):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, timeout=300
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
    assert {p.stem for p in plots.glob("*.png")} == {"final_loss", "best_runs", "per_class"}


def test_the_table_of_settings_names_every_variable():
    source = (README.parent / "optexp_jax" / "config.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"(OPTEXP_\w+)"', source))
    assert len(used) == len(Settings.__dataclass_fields__)
    assert all(f"| `{name}` |" in README.read_text(encoding="utf-8") for name in used)
