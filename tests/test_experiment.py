"""Experiments: equal exactly when their ids are, in every process, and rebuilt from their JSON."""

import copy
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from errors import refuses
from hypothesis import given, settings
from hypothesis import strategies as st

from optexp_jax import identity
from optexp_jax.datasets import HeavyTailedOneHot
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import SCHEMA, Experiment
from optexp_jax.losses import CrossEntropy, SquaredLoss, Weighted
from optexp_jax.models import Linear, Normal, TorchUniform, Zeros
from optexp_jax.optim import SGD, Adam, LearningRate
from optexp_jax.problem import FullBatch, MiniBatch, Problem

LINREG = Experiment(
    Problem(
        Linear(1111, 1111, use_bias=False, init_values=Zeros()),
        HeavyTailedOneHot(1000),
        SquaredLoss(),
    ),
    SGD(LearningRate(-1), momentum=0.9),
    group="linreg",
    steps=1000,
    per_class=True,
)
LINREG_ID = "5a66b61c7f6b095f6d56f5abec3cf8955247c7f3b07db32346670724e42e5b65"
ROOT = Path(identity.__file__).parents[1]


experiments = st.builds(
    Experiment,
    problem=st.builds(
        Problem,
        model=st.builds(
            Linear,
            num_inputs=st.just(7),
            num_classes=st.just(7),
            use_bias=st.booleans(),
            init_values=st.sampled_from([Zeros(), Normal(1), Normal(1.0), TorchUniform()]),
        ),
        dataset=st.just(HeavyTailedOneHot(4, 2)),
        loss=st.sampled_from([SquaredLoss(), CrossEntropy(), Weighted(), Weighted(power=0.5)]),
        batching=st.sampled_from([FullBatch(), MiniBatch(2), MiniBatch(2, shuffle=False)]),
        l2=st.sampled_from([0, 0.0, -0.0, 1e-4]),
    ),
    optimizer=st.sampled_from([SGD("10^-1"), SGD("10^-1", 0), Adam("10^-1"), Adam("10^-1/2")]),
    group=st.sampled_from(["a", "b"]),
    seed=st.integers(0, 1),
    steps=st.integers(1, 2),
    per_class=st.booleans(),
    keep_steps=st.sampled_from([(), (1,)]),
)
SCIENTIFIC = identity.field_names(Experiment)


@settings(max_examples=200)
@given(experiments, experiments, st.sets(st.sampled_from(SCIENTIFIC)))
def test_experiments_are_equal_exactly_when_their_ids_are(a, b, shared):
    b = dataclasses.replace(b, **{name: getattr(a, name) for name in shared})
    same = all(getattr(a, name) == getattr(b, name) for name in SCIENTIFIC)
    assert same == (a.id == b.id) == (a == b) == (hash(a) == hash(b))


@settings(max_examples=50)
@given(experiments)
def test_an_experiment_comes_back_from_json(experiment):
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    for field in dataclasses.fields(Experiment):
        assert getattr(again, field.name) == getattr(experiment, field.name)


def test_a_replaced_experiment_has_its_own_id():
    before = LINREG.id  # cached in the instance
    assert dataclasses.replace(LINREG, seed=1).id != before
    assert dataclasses.replace(LINREG, seed=0).id == before
    assert LINREG.short_id == before[:8]
    assert before != LINREG


def test_order_of_keywords_and_of_stored_keys_does_not_matter():
    other = Experiment(
        steps=1000, per_class=True, group="linreg", optimizer=LINREG.optimizer,
        problem=Problem(
            loss=SquaredLoss(), dataset=HeavyTailedOneHot(base=10, start_examples=1000),
            model=Linear(init_values=Zeros(), use_bias=False, num_classes=1111, num_inputs=1111),
        ),
    )  # fmt: skip
    assert other.id == LINREG.id
    assert Experiment.from_json(json.dumps(_reversed(json.loads(LINREG.to_json())))) == LINREG


def _reversed(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    return {key: _reversed(document[key]) for key in reversed(document)}


def test_another_process_with_another_hash_seed_has_the_same_ids(tmp_path):
    mine = [dataclasses.replace(LINREG, seed=seed) for seed in range(3)]
    for experiment in mine:
        (tmp_path / f"{experiment.seed}.json").write_text(experiment.to_json())
    script = tmp_path / "ids.py"
    script.write_text(
        "from pathlib import Path\nfrom optexp_jax import Experiment\nprint(hash('a'))\n"
        "for path in sorted(Path(__file__).parent.glob('*.json')):\n"
        "    print(Experiment.from_json(path.read_text()).id)\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "12345"}
    done = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    hashed, *ids = done.stdout.split()
    assert ids == [experiment.id for experiment in mine]
    assert hashed != str(hash("a"))  # it really was another seed


def test_the_id_of_one_experiment_is_pinned():
    assert LINREG.id == LINREG_ID, (
        "Ids of stored results changed: every result that users have would be run again. This "
        "value may be renewed only together with SCHEMA in optexp_jax/experiment.py and a "
        "migration of stored definitions."
    )


def test_the_example_of_the_documentation_is_real():
    page = ROOT / "docs" / "identity.md"
    if not page.exists():  # an installed package has no docs
        pytest.skip("no docs")
    example = "".join(page.read_text().split("```text\n")[1].split("```")[0].split())
    assert example == identity.canonical({"schema": SCHEMA, **identity.encode_fields(LINREG)})
    assert LINREG.short_id in page.read_text()


# ------------------------------------------------------------------------ validation


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"epochs": 3}, "length-not-given-once"),
        ({"steps": None}, "length-not-given-once"),
        ({"steps": 0}, "not-an-integer"),
        ({"steps": 1.0}, "not-an-integer"),
        ({"steps": True}, "not-an-integer"),
        ({"steps": None, "epochs": -1}, "not-an-integer"),
        ({"eval_every": 0}, "not-an-integer"),
        ({"seed": -1}, "not-an-integer"),
        ({"seed": 2**32}, "not-an-integer"),
        ({"seed": None}, "not-an-integer"),
        ({"per_class": 1}, "not-a-flag"),
        ({"group": ""}, "not-a-group-name"),
        ({"group": "a/b"}, "not-a-group-name"),
        ({"group": ".hidden"}, "not-a-group-name"),
        ({"group": "a\n"}, "not-a-group-name"),
        ({"group": None}, "not-a-group-name"),
        ({"keep_steps": (1.0,)}, "keep-steps-malformed"),
        ({"keep_steps": (-1,)}, "keep-steps-malformed"),
        ({"keep_steps": 3}, "keep-steps-malformed"),
    ],
)
def test_impossible_experiments_are_refused(fields, code):
    field, value = list(fields.items())[-1]
    values = {"not-an-integer": {"field": field, "value": value}, "not-a-group-name": fields}
    with refuses(code, **values.get(code, {})):
        dataclasses.replace(LINREG, **fields)


def test_kept_steps_are_sorted_once_each():
    assert dataclasses.replace(LINREG, keep_steps=[5, 0, 5]).keep_steps == (0, 5)


@pytest.mark.parametrize("group", ["LogReg_interp_inputs_mean=0.1_std=1.0", "a", "1e+3_small"])
def test_groups_of_the_paper_are_folder_names(group):
    assert dataclasses.replace(LINREG, group=group).group == group


# ---------------------------------------------------------------- damaged definitions


def damaged(**changes: Any) -> str:
    return json.dumps(json.loads(LINREG.to_json()) | changes)


def leaves(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(document, dict):
        return [leaf for key in document for leaf in leaves(document[key], (*path, key))]
    return [path]


STORED = json.loads(LINREG.to_json())
EDITABLE = leaves(STORED["experiment"], ("experiment",))
replacements = st.sampled_from([None, True, 0, 7, -1, 0.5, "x", "SGD", "10^3", [], [1], {}])


@settings(max_examples=200)
@given(st.sampled_from(EDITABLE), replacements)
def test_an_edited_definition_is_refused(path, new):
    document = copy.deepcopy(STORED)
    *parents, last = path
    inside = document
    for key in parents:
        inside = inside[key]
    if inside[last] == new and type(inside[last]) is type(new):
        return
    inside[last] = new
    try:
        again = Experiment.from_json(json.dumps(document))
    except OptexpError:
        return
    assert again.id == LINREG.id  # another spelling of the same value, such as 0 for 0.0
    assert inside[last] == 0


@settings(max_examples=50)
@given(st.integers(0, len(LINREG.to_json()) - 1))
def test_a_definition_cut_short_is_refused(length):
    with refuses("not-a-definition"):
        Experiment.from_json(LINREG.to_json()[:length])


@pytest.mark.parametrize(
    ("document", "code", "values"),
    [
        ("", "not-a-definition", {}),
        ("null", "not-a-definition", {}),
        ("[1]", "not-a-definition", {}),
        ("{}", "not-a-definition", {}),
        (json.dumps({"schema": 1}), "not-a-definition", {}),
        (damaged(schema=2), "other-schema", {"schema": 2, "known": 1}),
        (damaged(schema="1"), "other-schema", {"schema": "1"}),
        (damaged(id="0" * 64), "definition-mismatch", {"id": "0" * 64}),
        (damaged(id=None), "definition-mismatch", {}),
        (damaged(experiment=[]), "definition-mismatch", {}),
        (damaged(experiment={}), "definition-mismatch", {}),
        (damaged(experiment=STORED["experiment"] | {"color": 1}), "definition-mismatch", {}),
        (damaged(keep_steps=None), "definition-mismatch", {}),
        (damaged(keep_steps=["a"]), "keep-steps-malformed", {"value": ("a",)}),
        (damaged(group="../elsewhere"), "not-a-group-name", {"group": "../elsewhere"}),
        (damaged(group=3), "not-a-group-name", {"group": 3}),
        (
            LINREG.to_json().replace("SquaredLoss", "CubedLoss"),
            "unknown-class",
            {"name": "CubedLoss"},
        ),
        (
            LINREG.to_json().replace("use_bias", "bias"),
            "other-fields",
            {"name": "Linear", "fields": "bias, use_bias"},
        ),
        (LINREG.to_json().replace("10^-1", "ten"), "definition-mismatch", {}),
        (LINREG.to_json().replace("1000", "NaN"), "fields-not-integers", {}),
    ],
)
def test_other_definitions_are_refused(document, code, values):
    with refuses(code, **values):
        Experiment.from_json(document)
