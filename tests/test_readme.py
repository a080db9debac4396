"""What the README shows is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from optexp_jax.config import Settings
from optexp_jax.datasets.catalogue import CATALOGUE

README = Path(__file__).parent.parent / "README.md"
DATASETS = README.parent / "docs" / "datasets.md"
IDENTITY = README.parent / "docs" / "identity.md"
OPTIMIZERS = README.parent / "docs" / "optimizers.md"
YOUR_OWN = README.parent / "docs" / "your_own.md"
ANALYSIS = README.parent / "docs" / "analysis.md"


def blocks(path):
    """The Python code that a page shows."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


EXPERIMENT, LOOP = blocks(README)


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
def test_the_optimizers_of_the_page_train(tmp_path):
    (code,) = blocks(OPTIMIZERS)
    (tmp_path / "optimizers.py").write_text(code)
    done = python("optimizers.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    losses = re.findall(r": (\d\.\d{3}) to (\d\.\d{3})$", done.stdout, re.MULTILINE)
    assert len(losses) == 5
    assert all(last < first for first, last in losses)


@pytest.mark.slow
def test_the_experiment_of_ones_own_runs_and_draws(tmp_path):
    (tmp_path / "my_experiment.py").write_text(EXPERIMENT)
    for options in (["--test"], ["--local"], ["--plot"], ["--plot", "--perclass"]):
        done = python("my_experiment.py", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    plots = tmp_path / "workspace" / "plots" / "my_experiment"
    assert {p.stem for p in plots.glob("*.png")} == {"final_loss", "best_runs", "per_class"}


@pytest.mark.slow
def test_the_pages_on_analysis_draw_and_print(tmp_path):
    for number, code in enumerate(blocks(ANALYSIS)):
        (tmp_path / f"{number}.py").write_text(code)
        done = python(f"{number}.py", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert {p.suffix for p in (tmp_path / "plots").iterdir()} == {".pdf", ".png"}
    assert done.stdout.count("[") >= 6  # three rows of statistics, and a matrix


def test_the_data_set_of_ones_own_trains(tmp_path):
    (code,) = blocks(DATASETS)
    lines = (
        "from optexp_jax import *; from optexp_jax.losses import CrossEntropy",
        "from optexp_jax.models import Linear; from optexp_jax.optim import SGD",
        "problem = Problem(Linear(4, 3), MyData(), CrossEntropy())",
        "one = Experiment(problem, SGD(LearningRate(0)), 'mine', steps=30, per_class=True)",
        "losses = run(one).table['tr_CrossEntropyLoss']; print(losses.iloc[-1] / losses.iloc[0])",
    )
    (tmp_path / "mine.py").write_text("\n".join([code, *lines]))
    done = python("mine.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


def test_the_optimizer_of_ones_own_trains_and_is_drawn_as_it_says(tmp_path):
    (code,) = blocks(IDENTITY)
    lines = (
        "from optexp_jax import *; from optexp_jax.losses import CrossEntropy",
        "from optexp_jax.models import Linear; from optexp_jax.datasets import HeavyTailedOneHot",
        "from optexp_jax.plotting.style import label",
        "problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), CrossEntropy())",
        "one = Experiment(problem, MyRMSProp(LearningRate(-2)), 'mine', steps=30)",
        "losses = run(one).table['tr_CrossEntropyLoss']; print(losses.iloc[-1] < losses.iloc[0])",
        "print(label(one.optimizer))",
    )
    (tmp_path / "mine.py").write_text("\n".join([code, *lines]))
    done = python("mine.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True", "RMSprop"]


@pytest.mark.slow
def test_what_is_ones_own_trains(tmp_path):
    arrays, metric, model = blocks(YOUR_OWN)
    lines = (
        "problem = Problem(model, dataset, CrossEntropy())",
        "optimizer = SGD(LearningRate(-1))",
        "one = Experiment(problem, optimizer, 'own', steps=30, metrics=(Margin(),))",
        "table = run(one).table",
        "print(table['va_CrossEntropyLoss'].iloc[-1] < table['va_CrossEntropyLoss'].iloc[0])",
        "print(table['tr_Margin'].iloc[-1] > table['tr_Margin'].iloc[0])",
    )
    (tmp_path / "mine.py").write_text("\n".join([arrays, metric, model, *lines]))
    done = python("mine.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    loss = float(re.search(r"tr_CrossEntropyLoss +(\S+)", done.stdout)[1])
    assert loss < 0.7
    assert done.stdout.splitlines()[-2:] == ["True", "True"]


def test_the_page_of_data_sets_names_every_class():
    page = DATASETS.read_text(encoding="utf-8")
    names = {type(dataset).__name__ for dataset in CATALOGUE.values()}
    assert all(f"`{name}" in page for name in names)


def test_the_table_of_settings_names_every_variable():
    source = (README.parent / "optexp_jax" / "config.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"(OPTEXP_\w+)"', source))
    # Modules say `wandb_projects`, the environment does not.
    assert len(used) == len(Settings.__dataclass_fields__) - 1
    assert all(f"| `{name}` |" in README.read_text(encoding="utf-8") for name in used)
