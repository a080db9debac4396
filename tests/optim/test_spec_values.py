"""What the fields of optimizers may be: numbers of any type, and refusals in one sentence."""

from decimal import Decimal
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from optexp_jax.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LearningRate,
    LineSearchGD,
    NormalizedGD,
    ScaledSignDescent,
    SignDescent,
)

RATE = LearningRate("-3/2")

RATED_CLASSES = [SGD, Adam, AdamW, SignDescent, NormalizedGD, ScaledSignDescent, Adagrad]
WITH_MOMENTUM = [SGD, SignDescent, NormalizedGD, ScaledSignDescent]
NOT_RATES = [
    *(-2, 1, True, None, [0.1], np.array([0.1]), np.int64(1), Fraction(1, 2)),
    *("-0.1", "0.0", "-3/2", "10^x", "10^400"),
    *(float("nan"), float("inf"), 0.0, -0.0, -0.1, 1e-320, np.float32("nan"), Decimal("NaN")),
    *(Decimal("-0.1"), Decimal("1e400"), jnp.array(-0.1), np.float16("inf")),
]
NOT_NUMBERS = [
    *(True, False, np.True_, np.False_, jnp.array(True), None, 0.5j, np.complex64(0.5), object()),
    *("0.5", b"0.5", np.str_("0.5"), np.array("0.5"), [0.5], np.array([0.5]), jnp.array([0.5])),
    *(float("nan"), np.float32("nan"), Decimal("NaN"), float("inf"), 10**400, Fraction(10**400)),
    *(10**5000, -0.1, np.float16(-0.5), Decimal("-1")),
]
FLOATS = {
    SGD: ["momentum"],
    SignDescent: ["momentum"],
    Adam: ["beta1", "beta2", "eps"],
    AdamW: ["beta1", "beta2", "eps", "weight_decay"],
    LineSearchGD: ["slope", "shrink", "grow"],
}
IMPOSSIBLE = [
    *((cls, {"learning_rate": rate}) for cls in RATED_CLASSES for rate in NOT_RATES),
    *(
        (cls, {name: value})
        for cls, names in FLOATS.items()
        for name in names
        for value in NOT_NUMBERS
    ),
    *(
        (cls, {"momentum": momentum})
        for cls in WITH_MOMENTUM
        for momentum in [1.0, -0.1, float("nan"), float("inf"), False, "0.9", None]
    ),
    *((cls, {name: 1.0}) for cls in [Adam, AdamW] for name in ["beta1", "beta2"]),
    *((cls, {"eps": value}) for cls in [Adam, AdamW] for value in [-1e-8, float("nan"), True]),
    (AdamW, {"weight_decay": -0.01}),
    *((AdamW, {"split_decay": value}) for value in [1, 0, None, "True", np.True_]),
    (LineSearchGD, {"slope": 1.0}),
    (LineSearchGD, {"shrink": 0.0}),
    (LineSearchGD, {"shrink": 1.0}),
    (LineSearchGD, {"grow": 0.9}),
    (LineSearchGD, {"grow": float("nan")}),
]


@pytest.mark.parametrize(("cls", "values"), IMPOSSIBLE)
def test_impossible_values_are_refused_in_one_sentence(cls, values):
    rate = {} if cls is LineSearchGD else {"learning_rate": RATE}
    with pytest.raises(ValueError) as caught:
        cls(**{**rate, **values})
    message = str(caught.value)
    assert message.endswith(".")
    assert ". " not in message


HALVES = [0.5, np.float16(0.5), np.array(0.5), jnp.bfloat16(0.5), Fraction(1, 2), Decimal("0.5")]


def test_numbers_of_any_type_make_the_same_spec():
    same = {SGD(RATE, 0), SGD(RATE, 0.0), SGD(RATE, np.float32(0)), SGD("10^-3/2"), SGD(RATE, -0.0)}
    assert len({repr(spec) for spec in same}) == len(same) == 1
    assert {SGD(RATE, value) for value in HALVES} == {SGD(RATE, 0.5)}
    assert {AdamW(RATE, weight_decay=n) for n in (2, np.uint8(2), jnp.int32(2))} == {
        AdamW(RATE, weight_decay=2.0)
    }
    assert type(SGD(RATE, 0).momentum) is float
    assert SGD(RATE) != SignDescent(RATE)
