"""The Python code of every page of the docs is run as it stands, page by page."""

import os
import re
import subprocess
import sys

import pytest
from doc_pages import ROOT, blocks, name_of, pages

WITH_CODE = {name_of(page): page for page in pages() if blocks(page)}
HEADS = "from optexp_jax import *; from optexp_jax.losses import CrossEntropy\n"
TRAINS = "print('TOLD', losses.iloc[-1] / losses.iloc[0] < 0.9)"
# What is asked of a page beyond that it runs: code after its own, which prints `TOLD` and answers.
AFTER = {
    "datasets": HEADS
    + "from optexp_jax.models import Linear; from optexp_jax.optim import SGD\n"
    + "problem = Problem(Linear(4, 3), MyData(), CrossEntropy())\n"
    + "one = Experiment(problem, SGD(LearningRate(0)), 'mine', steps=30, per_class=True)\n"
    + f"losses = run(one).table['tr_CrossEntropyLoss']; {TRAINS}",
    "identity": HEADS
    + "from optexp_jax.models import Linear; from optexp_jax.datasets import HeavyTailedOneHot\n"
    + "from optexp_jax.plotting.style import label\n"
    + "problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), CrossEntropy())\n"
    + "one = Experiment(problem, MyRMSProp(LearningRate(-2)), 'mine', steps=30)\n"
    + f"losses = run(one).table['tr_CrossEntropyLoss']; {TRAINS}\n"
    + "print('TOLD', label(one.optimizer) == 'RMSprop')",
    "your_own": "from pathlib import Path\n"
    + "problem = Problem(model, dataset, CrossEntropy())\n"
    + "one = Experiment(problem, SGD(LearningRate(-1)), 'own', steps=30, metrics=(Margin(),))\n"
    + "table = run(one).table; losses = table['va_CrossEntropyLoss']\n"
    + f"{TRAINS}\nprint('TOLD', table['tr_Margin'].iloc[-1] > table['tr_Margin'].iloc[0])\n"
    + "names = ('final_loss', 'best_runs', 'per_class')\n"
    + "drawn = {f'{name}.{kind}' for name in names for kind in ('pdf', 'png')}\n"
    + "print('TOLD', {p.name for p in Path('plots').iterdir()} == drawn | {'heat_map.svg'})",
    "optimizers": "tables = [r.table['tr_CrossEntropyLoss'] for r in run(experiments)]\n"
    + "print('TOLD', len(tables) == 5 and all(t.iloc[-1] < t.iloc[0] for t in tables))",
    "analysis": "from pathlib import Path\n"
    + "print('TOLD', {p.suffix for p in Path('plots').iterdir()} == {'.pdf', '.png'})\n"
    + "print('TOLD', rows.hessian_trace.shape == (5,) and bool((rows.hessian_trace > 0).all()))",
    "howto/optimizer": TRAINS,
    "howto/schedule": "from optexp_jax.optim import built\n"
    + "built(optimizer, total_steps=9); built(SGD('10^-1', schedule=halving), total_steps=9)\n"
    + "print('TOLD', float(InverseRoot(30.0).factor(jnp.int32(90), None)) == 0.5)",
    "howto/dataset": f"losses = result.table['tr_CrossEntropyLoss']; {TRAINS}",
    "howto/model": "print('TOLD', result.table['tr_Accuracy'].iloc[-1] > 0.8)",
    "howto/loss": f"losses = result.table['tr_FocalLoss']; {TRAINS}\n"
    + "for one in (Tempered(2.0), reweighted):\n"
    + "    other = Problem(problem.model, problem.dataset, one)\n"
    + "    table = run(Experiment(other, Adam('10^-2'), 'other', steps=30)).table\n"
    + f"    losses = table.iloc[:, 2]; {TRAINS}",
    "howto/metric": "another = options | {'metrics': (MarginAbove(1.0),)}\n"
    + "table = run(Experiment(problem, Adam('10^-2'), 'another', **another)).table\n"
    + "print('TOLD', 0 < table['tr_MarginAbove1'].iloc[-1] <= 1)",
    "howto/figure": "from pathlib import Path\n"
    + "pictures = {p.name for p in Path('plots').iterdir()}\n"
    + "print('TOLD', {'overview.png', 'final_by_class.pdf'} <= pictures)\n"
    + "from experiments.linreg_perclass import experiments\n"
    + "print('TOLD', FIGURE.file == 'figure_34' and not CLAIMS[0].holds(0.02))",
    "howto/scheduler": "import sys; from pathlib import Path\n"
    + "from optexp_jax import Experiment, Problem, load_results, schedulers\n"
    + "from optexp_jax.cli import main; from optexp_jax.datasets import HeavyTailedOneHot\n"
    + "from optexp_jax.losses import SquaredLoss; from optexp_jax.models import Linear\n"
    + "from optexp_jax.optim import SGD\n"
    + "package = Path(__file__).parent / 'beside' / 'here'\n"
    + "package.mkdir(parents=True, exist_ok=True)\n"
    + "text = Path(__file__).read_text().partition('import sys; ')[0]\n"
    + "(package / '__init__.py').write_text(text)\n"
    + "schedulers.__path__.append(str(package.parent))\n"
    + "problem = Problem(Linear(7, 7), HeavyTailedOneHot(4, 2), SquaredLoss())\n"
    + "sent = [Experiment(problem, SGD(f'10^-{e}'), 'here', steps=3) for e in (1, 2)]\n"
    + "if len(sys.argv) > 1: main(sent, resources='two_cores')  # a task\n"
    + "try: main(sent, resources='two_cores', argv=['--here'])\n"
    + "except SystemExit as end: print('TOLD', end.code in (0, None))\n"
    + "print('TOLD', [load_results(e).status for e in sent] == ['done', 'done'])",
    "howto/own_loop": "print('TOLD', float(losses_of(params).mean()) < 2)\n"
    + "print('TOLD', float(losses_of_net(net).mean()) < 2.5)\n"
    + "print('TOLD', float(losses_of_mlp(mlp).mean()) < 2.5)",
    "howto/pytorch": "exact = torch.bincount(labels, losses.detach().double(), 20).numpy()\n"
    + "print('TOLD', np.allclose(means * counts, exact, rtol=1e-5))",
}
NEEDS = {"howto/own_loop": "equinox", "howto/pytorch": "torch"}  # the extras `docs` and `bench`


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_CODE)
def test_the_code_of_a_page_runs(name, tmp_path):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    code = [*blocks(WITH_CODE[name]), AFTER.get(name, "")]
    (tmp_path / "page.py").write_text("\n".join(code), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPTEXP_WANDB_ENABLED": "false"}
    done = subprocess.run(
        [sys.executable, "page.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr
    answers = re.findall(r"^TOLD (.*)$", done.stdout, re.MULTILINE)
    assert len(answers) >= ("TOLD" in AFTER.get(name, ""))
    assert set(answers) <= {"True"}, (answers, done.stdout)


def test_what_is_asked_beyond_belongs_to_a_page():
    assert set(AFTER) | set(NEEDS) <= set(WITH_CODE)
