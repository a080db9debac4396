"""Equal values have one text, unequal ones never share it, and nothing else is let in."""

import copy
import dataclasses
import enum
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest
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


class Level(enum.IntEnum):
    LOW = 1


def text(value: Any) -> str:
    return identity.canonical(identity.encode(value))


def sentence(error: pytest.ExceptionInfo[BaseException]) -> str:
    """The message, which is one line and a sentence."""
    message = str(error.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


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
    with pytest.raises(OptexpError, match=r"dtype is .*bfloat16.*cannot be part") as error:
        text(Module(1, dtype=jnp.bfloat16))
    sentence(error)


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
    assert sentence(error).startswith("width")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Probe(flag=1), "Probe.flag is 1, but the field holds bool."),
        (Probe(count=True), "Probe.count is True, but the field holds int."),
        (Probe(count=1.0), "Probe.count is 1.0, but the field holds int."),
        (Probe(number=True), "Probe.number is True, but the field holds float."),
        (Probe(maybe=False), "Probe.maybe is False, but the field holds float or NoneType."),
        (Probe(pair=(1.0, 2.0)), "Probe.pair is 2.0, but the field holds int."),
        (Probe(many=(1.0, True)), "Probe.many is True, but the field holds float."),
        (Probe(mode=1.0), "Probe.mode is 1.0, but the field holds str or int."),
        (Probe(number=2**53 + 1), "which a float does not hold exactly."),
        (Probe(number=10**400), "which a float does not hold exactly."),
        (Probe(number=float("nan")), "number is nan: an experiment holds finite numbers only."),
        (Probe(many=(0.0, -float("inf"))), "many[1] is -inf: an experiment holds finite"),
        (Probe(text=Path("a")), "text is "),
        (Module(1, layers=[3]), "layers is [3], a list, which cannot be part"),
        (HalfAnnotated(True), "HalfAnnotated.std is True, but the field holds float."),
    ],
)
def test_a_field_holds_values_of_its_type(value, message):
    with pytest.raises(OptexpError) as error:
        text(value)
    assert message in sentence(error)


def test_a_subclass_is_not_taken_for_its_base():
    class Cautious(SGD):
        pass

    class CautiousRate(LearningRate):
        pass

    for value in (Cautious("10^-1"), CautiousRate(-1), SGD(CautiousRate(-1))):
        with pytest.raises(OptexpError, match="cannot be part of an experiment"):
            text(value)
    identity.register("test-cautious")(Cautious)
    assert text(Cautious("10^-1")) != text(SGD("10^-1"))
    assert type(identity.decode(identity.encode(Cautious("10^-1")))) is Cautious


def frozen(**fields: Any) -> type:
    return dataclasses.make_dataclass("Own", fields.items(), frozen=True)


class Undecorated(SGD):
    nesterov: bool = False


@pytest.mark.parametrize(
    ("name", "cls", "message"),
    [
        ("test-probe", frozen(a=int), "is taken by"),
        ("SGD", frozen(a=int), "is taken by"),
        ("LearningRate", frozen(a=int), "is taken by"),
        ("test-probe-again", Probe, "is already named 'test-probe': a class has one name."),
        ("test-plain", type("Plain", (), {}), "is not a frozen dataclass"),
        ("test-mutable", dataclasses.make_dataclass("Mutable", ["a"]), "is not a frozen dataclass"),
        ("test-undecorated", Undecorated, "is not a frozen dataclass"),
        ("test-type", frozen(type=str), "has a field 'type'"),
        ("", frozen(a=int), "needs a name"),
        (frozen(a=int), None, "needs a name"),  # the decorator without its brackets
    ],
)
def test_names_and_classes_that_are_refused(name, cls, message):
    before = dict(registry._CLASS_OF), dict(registry._NAME_OF)
    with pytest.raises(OptexpError) as error:
        identity.register(name)(cls)
    assert message in sentence(error)
    assert before == (registry._CLASS_OF, registry._NAME_OF)
