"""Equal values have one text, unequal ones never share it, and nothing else is let in."""

import copy
import dataclasses
import enum
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
from errors import refuses
from hypothesis import given, settings
from hypothesis import strategies as st

from optexp_jax import identity, registry
from optexp_jax.errors import OptexpError
from optexp_jax.losses import CrossEntropy, Weighted
from optexp_jax.models import Normal, TorchUniform, Zeros
from optexp_jax.optim import SGD, LearningRate
from optexp_jax.problem import FullBatch, MiniBatch

if TYPE_CHECKING:
    from nowhere import Missing  # pyright: ignore[reportMissingImports]


@identity.register("test-probe")
@dataclasses.dataclass(frozen=True)
class Probe:
    """Every kind of field."""

    number: float = 0.0
    count: int = 0
    flag: bool = False
    text: str = ""
    maybe: float | None = None
    either: int | float = 0
    mode: Literal["a", 1] = "a"
    pair: tuple[float, int] = (0.0, 0)
    many: tuple[float, ...] | None = ()
    inner: "Probe | None" = None


@identity.register("test-half-annotated")
@dataclasses.dataclass(frozen=True)
class HalfAnnotated:
    std: "float"
    helper: "Missing | None" = None
    mean: "float" = 0.0


@identity.register("test-grown")
@dataclasses.dataclass(frozen=True)
class Grown:
    """A class that got fields after it had ids."""

    std: float
    power: float = dataclasses.field(default=0.0, metadata=registry.neutral(0.0))
    parts: tuple[int, ...] = dataclasses.field(default=(), metadata=registry.neutral(()))


def test_a_field_added_later_is_left_out_while_it_is_neutral():
    assert identity.encode(Grown(1, power=0, parts=())) == {"type": "test-grown", "std": 1.0}
    used = Grown(1, power=2, parts=(1,))
    assert identity.encode(used) == {"type": "test-grown", "std": 1.0, "power": 2.0, "parts": [1]}
    for value in (used, Grown(1), Grown(1, power=2)):
        assert identity.decode(identity.encode(value)) == value
    with refuses("other-fields", fields="std"):
        identity.decode({"type": "test-grown", "power": 1.0})
    with refuses("other-fields", fields="root"):
        identity.decode({"type": "test-grown", "std": 1.0, "root": 1.0})


class Level(enum.IntEnum):
    LOW = 1


def text(value: Any) -> str:
    return identity.canonical(identity.encode(value))


# ------------------------------------------------------------ equal values, one text

small_ints = st.integers(-2, 2) | st.sampled_from([2**53, -(2**53), 2**40 + 1])
floats = st.floats(allow_nan=False, allow_infinity=False)
numbers = small_ints | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 2.0**53]) | floats
probes = st.recursive(
    st.builds(
        Probe,
        number=numbers,
        count=small_ints,
        flag=st.booleans(),
        text=st.sampled_from(["", "a", "ü", "\ud800", '"\\']),
        maybe=st.none() | numbers,
        either=numbers,
        mode=st.sampled_from(["a", 1]),
        pair=st.tuples(numbers, small_ints),
        many=st.none() | st.lists(numbers, max_size=2).map(tuple),
    ),
    lambda inner: st.builds(Probe, number=st.sampled_from([0, 1]), inner=st.none() | inner),
    max_leaves=3,
)
FIELDS = [field.name for field in dataclasses.fields(Probe)]


@settings(max_examples=200)
@given(probes, probes, st.sets(st.sampled_from(FIELDS)))
def test_values_are_equal_exactly_when_their_texts_are(a, b, shared):
    b = dataclasses.replace(b, **{name: getattr(a, name) for name in shared})
    assert (a == b) == (text(a) == text(b))
    assert text(a) == text(copy.deepcopy(a))


@settings(max_examples=200)
@given(probes)
def test_a_value_comes_back_from_its_text(value):
    again = identity.decode(json.loads(text(value)))
    assert again == value
    assert text(again) == text(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Probe(number=1), Probe(number=1.0)),
        (Probe(number=-0.0), Probe(number=0.0)),
        (Probe(either=-0.0), Probe(either=0)),
        (Probe(either=3.0), Probe(either=3)),
        (Probe(maybe=1), Probe(maybe=1.0)),
        (Probe(pair=(1, 2)), Probe(pair=(1.0, 2))),
        (Probe(many=(1, -0.0)), Probe(many=(1.0, 0))),
        (SGD(LearningRate(-1), 0), SGD("10^-1")),
        (Normal(1), Normal(1.0, mean=-0.0)),
        (Weighted(power=1), Weighted(CrossEntropy(), 1.0)),
        (HalfAnnotated(1, mean=2), HalfAnnotated(1.0, mean=2.0)),
    ],
)
def test_numbers_are_written_as_their_fields_type(one, other):
    assert one == other
    assert text(one) == text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Probe(number=0.1), Probe(number=0.1 + 2**-56)),
        (Probe(many=()), Probe(many=None)),
        (Probe(many=(1.0,)), Probe(many=(1.0, 1.0))),
        (Probe(mode=1), Probe(mode="a")),
        (Probe(text="1"), Probe(text="1.0")),
        (Probe(maybe=None), Probe(maybe=0.0)),
        (Probe(inner=Probe()), Probe(inner=None)),
        (Zeros(), TorchUniform()),
        (FullBatch(), MiniBatch(1)),
        (LearningRate(2), LearningRate(1, base=100)),
    ],
)
def test_unequal_values_have_unequal_texts(one, other):
    assert one != other
    assert text(one) != text(other)


ROOT = str(Path(identity.__file__).parents[1])
TWIN = """
import dataclasses
import optexp_jax
from optexp_jax import identity

@optexp_jax.register("test-twin")
@dataclasses.dataclass(frozen=True)
class Twin:
    size: float = 1

if __name__ == "__main__":
    import twin
    assert twin.Twin is not Twin
    text = identity.canonical(identity.encode(Twin()))
    assert identity.canonical(identity.encode(twin.Twin(1.0))) == text
    assert identity.decode(identity.encode(Twin(3))).size == 3.0
    print("same")
"""


def test_a_class_of_a_script_is_one_class_run_and_imported(tmp_path):
    (tmp_path / "twin.py").write_text(TWIN)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "twin.py").symlink_to(tmp_path / "twin.py")
    script = str(tmp_path / "link" / "twin.py")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([ROOT, str(tmp_path)])}
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("same\n", 0), done.stderr


# ------------------------------------------------------------------------- Flax modules


@identity.register("test-module")
class Module(nn.Module):
    width: float
    layers: tuple[int, ...] = ()
    inner: nn.Module | None = None
    dtype: Any = None


def test_a_modules_place_in_a_tree_is_not_part_of_its_identity():
    assert text(Module(1)) == text(Module(1.0, name="encoder", parent=None))
    assert set(identity.encode(Module(1))) == {"type", "width", "layers", "inner", "dtype"}
    nested = Module(2, (3, 4), inner=Module(1, name="inside"))
    assert text(identity.decode(identity.encode(nested))) == text(nested)
    assert identity.encode(nested)["inner"]["width"] == 1.0


def test_a_module_with_a_dtype_is_refused():
    with refuses("not-encodable", where=re.compile("dtype$"), value=jnp.bfloat16):
        text(Module(1, dtype=jnp.bfloat16))


# ----------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), -float("inf"), [1], {"a": 1}, {1}, b"a", 1j, Fraction(1, 2),
        np.float64(1), np.int32(1), np.zeros(2), jnp.zeros(2), Path("a"), Level.LOW, len, Probe,
        (1, [2]), (1, (float("nan"),)),
    ],
)  # fmt: skip
def test_other_values_are_refused(value):
    with pytest.raises(OptexpError) as error:
        identity.encode(value, "width")
    assert error.value.code in ("not-encodable", "not-finite")
    assert error.value.values["where"].startswith("width")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "code", "where", "odd"),
    [
        (Probe(flag=1), "wrong-type", "Probe.flag", 1),
        (Probe(count=True), "wrong-type", "Probe.count", True),
        (Probe(count=1.0), "wrong-type", "Probe.count", 1.0),
        (Probe(number=True), "wrong-type", "Probe.number", True),
        (Probe(maybe=False), "wrong-type", "Probe.maybe", False),
        (Probe(pair=(1.0, 2.0)), "wrong-type", "Probe.pair", 2.0),
        (Probe(many=(1.0, True)), "wrong-type", "Probe.many", True),
        (Probe(mode=1.0), "wrong-type", "Probe.mode", 1.0),
        (Probe(number=2**53 + 1), "not-exact", "Probe.number", 2**53 + 1),
        (Probe(number=10**400), "not-exact", "Probe.number", 10**400),
        (Probe(number=float("nan")), "not-finite", "number", float("nan")),
        (Probe(many=(0.0, -float("inf"))), "not-finite", "many[1]", -float("inf")),
        (Probe(text=Path("a")), "not-encodable", "text", Path("a")),
        (Module(1, layers=[3]), "not-encodable", "layers", [3]),
        (HalfAnnotated(True), "wrong-type", "HalfAnnotated.std", True),
    ],
)
def test_a_field_holds_values_of_its_type(value, code, where, odd):
    with refuses(code, where=where, value=odd):
        text(value)


def test_a_subclass_is_not_taken_for_its_base():
    class Cautious(SGD):
        pass

    class CautiousRate(LearningRate):
        pass

    for value in (Cautious("10^-1"), CautiousRate(-1), SGD(CautiousRate(-1))):
        with refuses("not-encodable"):
            text(value)
    identity.register("test-cautious")(Cautious)
    assert text(Cautious("10^-1")) != text(SGD("10^-1"))
    assert type(identity.decode(identity.encode(Cautious("10^-1")))) is Cautious


def frozen(**fields: Any) -> type:
    return dataclasses.make_dataclass("Own", fields.items(), frozen=True)


class Undecorated(SGD):
    nesterov: bool = False


@pytest.mark.parametrize(
    ("name", "cls", "code"),
    [
        ("test-probe", frozen(a=int), "name-taken"),
        ("SGD", frozen(a=int), "name-taken"),
        ("LearningRate", frozen(a=int), "name-taken"),
        ("test-probe-again", Probe, "already-named"),
        ("test-plain", type("Plain", (), {}), "not-frozen"),
        ("test-mutable", dataclasses.make_dataclass("Mutable", ["a"]), "not-frozen"),
        ("test-undecorated", Undecorated, "not-frozen"),
        ("test-type", frozen(type=str), "field-named-type"),
        ("", frozen(a=int), "class-without-name"),
        (frozen(a=int), None, "class-without-name"),  # the decorator without its brackets
    ],
)
def test_names_and_classes_that_are_refused(name, cls, code):
    before = dict(registry._CLASS_OF), dict(registry._NAME_OF)
    with refuses(code):
        identity.register(name)(cls)
    assert before == (registry._CLASS_OF, registry._NAME_OF)
