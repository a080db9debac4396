"""However many methods a figure has, no two look alike or have one name."""

import dataclasses
import itertools

import numpy as np
import pytest
from errors import refuses
from matplotlib.colors import to_rgb

from optexp_jax.optim import SGD, Adam, AdamW, Appearance, LearningRate, Muon, Optax
from optexp_jax.plotting.looks import looks
from optexp_jax.registry import name_of, register

RATE = LearningRate(0)
DECAYS = [AdamW(RATE, weight_decay=decay) for decay in (0.0, 0.01, 0.1)]


def triples(found):
    return {(look.color, str(look.linestyle), look.marker) for look in found.values()}


def strangers(count):
    """Optimizers of factories of optax that no class of ours stands for."""
    return [Optax(f"Mine {i}", "optax:rmsprop", RATE) for i in range(count)]


@pytest.mark.parametrize(
    "methods",
    [
        strangers(20),
        [SGD(RATE, momentum) for momentum in np.linspace(0, 0.95, 20)],
        [AdamW(RATE, weight_decay=decay) for decay in np.linspace(0, 1, 60)],
        [*strangers(10), *(Adam(RATE, beta2=b) for b in np.linspace(0.9, 0.99, 10))],
    ],
    ids=["kinds", "momenta", "decays", "both"],
)
def test_no_two_methods_look_alike_or_have_one_name(methods):
    found = looks(methods)
    assert len(triples(found)) == len(methods)
    assert len({look.label for look in found.values()}) == len(methods)
    assert list(found) == methods


def test_kinds_have_colours_that_the_eye_tells_apart():
    colors = [np.array(to_rgb(look.color)) for look in looks(strangers(20)).values()]
    pairs = itertools.combinations([*colors, np.ones(3)], 2)
    assert min(np.abs(a - b).max() for a, b in pairs) > 0.05


@register("test-twin-of-adam")
@dataclasses.dataclass(frozen=True)
class Twin:
    """Says that it looks as Adam does."""

    learning_rate: LearningRate
    appearance = Appearance("Adam", Adam.appearance.color, Adam.appearance.marker)

    def build(self):
        raise NotImplementedError


def test_a_class_that_says_the_colour_and_the_name_of_another_gets_its_own():
    assert name_of(Twin)
    adam, twin = looks([Adam(RATE), Twin(RATE)]).values()
    assert adam.color == Adam.appearance.color != twin.color
    assert [adam.label, twin.label] == ["Adam (Adam)", "Adam (Twin)"]


def test_three_decays_are_shades_from_dark_to_light():
    brightness = [sum(to_rgb(look.color)) for look in looks(DECAYS[::-1]).values()]
    assert brightness == sorted(brightness, reverse=True)


def test_labels_of_ones_own_never_make_two_methods_one():
    names = {"AdamW": "Ours", "Muon": "Theirs"}
    found = looks([*DECAYS, Muon(RATE)], labels=names)
    assert [look.label for look in found.values()] == [
        *("Ours (decay = 0)", "Ours (decay = 0.01)", "Ours (decay = 0.1)"),
        "Theirs",
    ]
    exact = looks(DECAYS, labels={"AdamW (decay = 0.1)": "the usual one"})
    assert [look.label for look in exact.values()][2] == "the usual one"
    told = looks(DECAYS, labels=lambda method: f"decay {method.weight_decay}")
    assert [look.label for look in told.values()] == ["decay 0.0", "decay 0.01", "decay 0.1"]


@pytest.mark.parametrize(
    "colors",
    [
        ["red", "green", "blue", "red"],
        {"AdamW": "red", "Muon": "red"},
        lambda method: "red",
        "red",
    ],
    ids=["list", "dict", "function", "one"],
)
def test_colours_of_ones_own_are_taken_and_lines_still_differ(colors):
    found = looks([*DECAYS, Muon(RATE)], colors=colors)
    assert next(iter(found.values())).color == "red"
    assert len(triples(found)) == 4


def test_what_is_no_colour_is_refused():
    with refuses("not-a-color", color="reddish"):
        looks(DECAYS, colors={"AdamW": "reddish"})
