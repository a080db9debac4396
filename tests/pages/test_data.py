"""What a page shows, before any browser: the numbers of the figures, as plain JSON."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import paged
import pytest
from errors import refuses
from fabricated import fabricate
from paged import DIVERGED, FAILED, GOOD, GROUP, METRIC, REASON, UNSTABLE

from optexp_jax import LearningRate, register
from optexp_jax.datasets import RandomHeavyTailedLabels
from optexp_jax.losses import CrossEntropy
from optexp_jax.models import Linear
from optexp_jax.optim import SGD, Adam, appearance_of
from optexp_jax.pages import charts, definitions, page
from optexp_jax.plotting.names import FREE
from optexp_jax.registry import registered
from optexp_jax.results.load import load_results
from optexp_jax.results.selection import best_rates
from optexp_jax.results.store import RunFolder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    found = tmp_path_factory.mktemp("paged")
    paged.fill(found)
    return found


@pytest.fixture(scope="module")
def data(workspace):
    return page.data_of(page.read_group(workspace, GROUP))


def method(data, label):
    (place,) = (i for i, m in enumerate(data["methods"]) if m["label"] == label)
    return place


def test_the_grid_has_the_chosen_rates_of_the_figures(workspace, data):
    results = [load_results(e, workspace) for e in (*GOOD, DIVERGED, UNSTABLE, FAILED)]
    best = best_rates(results)
    chosen = {(p["method"], p["rate"]) for p in data["grid"]["points"] if p["chosen"]}
    wanted = {SGD: "GD", Adam: "Adam"}
    assert chosen == {(method(data, wanted[type(m)]), str(rate)) for m, rate in best.items()}
    assert [p["rate"] for p in data["grid"]["lost"]] == ["10^1"]
    assert [p["rate"] for p in data["grid"]["points"] if p["unstable"]] == ["10^0"]
    last = max(load_results(e, workspace).table[METRIC].iloc[-1] for e in GOOD[:2])
    (point,) = (
        p
        for p in data["grid"]["points"]
        if p["rate"] == "10^-2" and p["method"] == method(data, "GD")
    )
    assert point["y"] == pytest.approx(last, rel=1e-3)
    assert point["seeds"] == 2


def test_a_tiny_loss_is_drawn_at_the_floor_and_told_as_it_is(tmp_path):
    fabricate(tmp_path, GOOD[0])
    tiny = paged.experiment(Adam(LearningRate(-2)))
    paged.record(tmp_path, tiny, [2.0, *[1e-13] * 40], "done")
    grid = page.data_of(page.read_group(tmp_path, GROUP))["grid"]
    assert grid["raised"]
    (point,) = (p for p in grid["points"] if p["end"] < 1e-9)
    assert point["end"] == 1e-13
    assert point["y"] == pytest.approx(1e-6 * grid["start"], rel=1e-3)


def test_curves_are_of_every_metric_training_loss_first(data):
    assert [of["metric"] for of in data["curves"]] == [METRIC, "va_SquaredLoss"]
    (line,) = (of for of in data["curves"][0]["lines"] if of["method"] == method(data, "GD"))
    assert line["x"][0] == 0
    assert line["x"][-1] == 40


def test_losses_by_class_are_means_of_groups_and_of_classes(workspace, data):
    of = data["by_class"]
    assert [g["label"].split()[::3] for g in of["groups"]] == [["1", "4"], ["2", "2"], ["4", "1"]]
    assert [c["examples"] for c in of["classes"]] == [4, 2, 2, 1, 1, 1, 1]
    (line,) = (found for found in of["lines"] if found["method"] == method(data, "GD"))
    run = next(
        e for e in GOOD if str(e.optimizer.learning_rate) == line["rate"] and e.seed == line["seed"]
    )
    results = load_results(run, workspace)
    groups = run.problem.dataset.groups(results.class_counts)
    means = results.group_means(f"{METRIC}PerClass", groups)
    rows = np.isin(results.per_class_steps, line["steps"])
    np.testing.assert_allclose(np.transpose(line["groups"]), means[rows], rtol=1e-3)
    np.testing.assert_allclose(
        line["values"], results.per_class[f"{METRIC}PerClass"][rows], rtol=1e-3
    )


def test_the_table_has_every_run_and_what_became_of_it(data):
    rows = {row["id"]: row for row in data["runs"]}
    assert len(rows) == len(GOOD) + 3
    assert rows[DIVERGED.id]["status"] == "diverged"
    assert rows[DIVERGED.id]["final"] is None
    assert rows[FAILED.id]["note"] == REASON
    assert "ten times" in rows[UNSTABLE.id]["note"]
    assert data["counts"] == {"done": len(GOOD) + 1, "diverged": 1, "failed": 1}
    assert "missing: 1 of" in data["notes"][0].lower()


def test_nothing_ends_the_script_that_holds_the_data(data, workspace):
    text = page.embedded(data)
    assert "<" not in text
    assert json.loads(text) == json.loads(json.dumps(data))
    html = page.page_of(page.read_group(workspace, GROUP))
    assert REASON not in html
    assert html.count("</script>") == 4  # data, two libraries, ours


def test_a_page_loads_nothing_and_carries_the_licences(workspace):
    html = page.page_of(page.read_group(workspace, GROUP))
    assert "src=" not in html.split("<body>")[1].split('<script type="application/json"')[0]
    assert html.count("Permission to use, copy, modify") >= 2
    assert "{{" not in html.split("<script>")[0]


def test_the_python_of_a_line_makes_the_same_experiment(data, monkeypatch):
    ran = []
    monkeypatch.setattr(
        "optexp_jax.run", lambda runs: ran.extend(runs) or [load_results(runs[0], "none")]
    )
    for line in data["reproduce"]:
        exec(line["code"], {})  # what a reader pastes
    assert {type(e.optimizer) for e in ran} == {SGD, Adam}
    assert all(e in GOOD for e in ran)
    assert [line["command"] for line in data["reproduce"]] == [None, None]


def test_a_definition_with_quotes_survives():
    odd = dataclasses.replace(GOOD[0], group="a")
    code = definitions.code_of(odd)
    assert "'''" in code
    scope = {}
    exec(code.split("(results,)")[0], scope)
    assert scope["experiment"] == odd


def test_commands_are_those_of_the_module_at_both_scales():
    from experiments.linreg_perclass import experiments, small

    known = definitions.commands_of(["experiments.linreg", "experiments.linreg_perclass"])
    run, little = experiments[2], small(experiments)[3]
    assert known[run.run_key] == "python -m experiments.linreg_perclass --single 2"
    assert known[little.run_key] == "python -m experiments.linreg_perclass --single 3 --scale small"
    for module in ("no.such.module", "json"):
        with refuses("module-declares-nothing", module=module):
            definitions.commands_of([module])


@register("test-paged-own")
@dataclasses.dataclass(frozen=True)
class Own:
    """A stranger's optimizer."""

    learning_rate: LearningRate

    def build(self):
        raise NotImplementedError


def test_a_stranger_s_optimizer_has_a_name_a_look_and_an_import(tmp_path):
    run = paged.experiment(Own(LearningRate(-1)))
    fabricate(tmp_path, run)
    data = page.data_of(page.read_group(tmp_path, GROUP))
    assert data["methods"][0]["label"] == "Own"
    assert data["methods"][0]["color"].startswith("#")
    assert f"import {Own.__module__}" in data["reproduce"][0]["code"]


def test_every_marker_of_the_figures_has_a_symbol_that_a_legend_can_fill():
    kinds = [cls for cls in registered().values() if appearance_of(cls)]
    markers = {appearance_of(cls).marker for cls in kinds} | {marker for _, marker in FREE}
    assert markers <= charts.SYMBOLS.keys()
    filled = {"circle", "cross", "diamond", "square", "triangle", "wye"}
    assert {symbol for symbol, _ in charts.SYMBOLS.values()} == filled
    assert len(set(charts.SYMBOLS.values())) == len(charts.SYMBOLS) - 1


def test_a_group_without_finished_runs_says_so(tmp_path):
    folder = RunFolder(tmp_path, GOOD[0])
    folder.begin({"train": paged.DATASET.class_counts(tmp_path)})
    data = page.data_of(page.read_group(tmp_path, GROUP))
    assert "grid" not in data
    assert GROUP in data["notes"][0]
    assert len(data["runs"]) == 1


def test_runs_of_two_problems_are_listed_and_not_compared(tmp_path):
    fabricate(tmp_path, GOOD[0])
    other = dataclasses.replace(paged.PROBLEM, l2=0.5)
    fabricate(tmp_path, dataclasses.replace(GOOD[0], problem=other))
    data = page.data_of(page.read_group(tmp_path, GROUP))
    assert "grid" not in data
    assert "different problems" in data["notes"][0]
    assert [of["runs"] for of in data["definitions"]] == [1, 1]


def test_a_damaged_run_is_named_and_the_others_are_shown(tmp_path):
    for run in GOOD[:2]:
        fabricate(tmp_path, run)
    path = RunFolder(tmp_path, GOOD[0]).path / "metrics.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    group = page.read_group(tmp_path, GROUP)
    assert len(group.results) == 1
    assert any(str(path) in note for note in page.data_of(group)["notes"])


def test_many_classes_and_steps_are_thinned(tmp_path):
    dataset = RandomHeavyTailedLabels(11)
    model = Linear(dataset.num_inputs, dataset.num_classes)
    problem = dataclasses.replace(paged.PROBLEM, dataset=dataset, model=model, loss=CrossEntropy())
    run = dataclasses.replace(GOOD[0], problem=problem, steps=300)
    fabricate(tmp_path, run)
    data = page.data_of(page.read_group(tmp_path, GROUP))
    of = data["by_class"]
    assert of["num_classes"] == 2047
    assert len(of["classes"]) <= charts.CLASSES
    assert len(of["lines"][0]["steps"]) <= charts.STEPS
    assert len(data["curves"][0]["lines"][0]["x"]) <= 200
    assert len(page.embedded(data)) < 3e5


def test_the_index_names_every_group(workspace):
    html = page.index_of([page.read_group(workspace, GROUP)])
    assert f'href="{GROUP}.html"' in html
    assert f">{len(GOOD) + 3}<" in html
    assert "1 failed" in html
    assert "Linear on HeavyTailedOneHot" in html


@pytest.mark.slow
def test_a_page_of_five_hundred_runs_is_a_small_file(tmp_path):
    rates = [LearningRate(Fraction(-i, 100)) for i in range(100, 225)]
    for kind in (SGD, Adam):
        for rate in rates:
            for seed in range(2):
                fabricate(tmp_path, paged.experiment(kind(rate), seed=seed, per_class=False))
    html = page.page_of(page.read_group(tmp_path, GROUP))
    assert len(html) < 3e6
