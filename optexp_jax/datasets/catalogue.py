"""The data sets of the library by name, as the paper has them, and their offline forms."""

from __future__ import annotations

import difflib

from optexp_jax import datasets as d
from optexp_jax.datasets.frozen_features import FrozenFeatures
from optexp_jax.errors import OptexpError

CATALOGUE: dict[str, d.Dataset] = {
    "HeavyTailedOneHot": d.HeavyTailedOneHot(),
    "PowerLawOneHot": d.PowerLawOneHot(),
    "RandomHeavyTailedLabels": d.RandomHeavyTailedLabels(11, seed=0),
    "RandomHeavyTailedLabels-8": d.RandomHeavyTailedLabels(8, seed=0),
    "RandomHeavyTailedLabels-7": d.RandomHeavyTailedLabels(7, seed=0),
    "RandomHeavyTailedLabels-7-normal": d.RandomHeavyTailedLabels(7, d.Gaussian(), seed=0),
    "RandomHeavyTailedLabels-7-shifted": d.RandomHeavyTailedLabels(7, d.Gaussian(1.0), seed=0),
    "RandomHeavyTailedLabels-7-bias": d.RandomHeavyTailedLabels(
        7, d.Gaussian(), bias_column=True, seed=0
    ),
    "RandomHeavyTailedLabels-7-dim400": d.RandomHeavyTailedLabels(7, d.Gaussian(), dim=400, seed=0),
    "GaussianMixture": d.GaussianMixture(seed=0),
    "ZipfMandelbrot": d.ZipfMandelbrot(seed=0),
    "PatternImages": d.PatternImages(),
    "Digits": d.Digits(),
    "BarcodedDigits": d.BarcodedMNIST(d.Digits(), bits=8, seed=0),
    "FashionMNIST": d.FashionMNIST(),
    "BarcodedFashionMNIST": d.BarcodedMNIST(d.FashionMNIST(), seed=0),
    "MNIST": d.MNIST(),
    "TinyMNIST": d.MNIST("tiny"),
    "MicroMNIST": d.MNIST("micro"),
    "BarcodedMNIST": d.BarcodedMNIST(seed=0),
    "BarcodedMNIST-only": d.BarcodedMNIST(joined=False, seed=0),
    "BarcodedMNIST-repaired": d.BarcodedMNIST(zero_barcode=False, seed=0),
    "ColouredMNIST": d.ColouredMNIST(seed=0),
    "ColouredMNIST-only": d.ColouredMNIST(joined=False, seed=0),
    "Shakespeare": d.Shakespeare(),
    "ShakespeareExcerpt": d.ShakespeareExcerpt(),
    "PTB": d.PTB(),
    "TinyPTB": d.TinyPTB(),
    "WikiText2": d.WikiText2(),
    "TinyWikiText2": d.TinyWikiText2(),
    "WikiText103": d.WikiText103(),
    "TinyStories": d.TinyStories(),
    "FrozenFeatures": FrozenFeatures(),
    "FrozenFeatures-600": FrozenFeatures(600),
    "FrozenFeatures-300": FrozenFeatures(300),
    "FrozenFeatures-100": FrozenFeatures(100),
    "FrozenFeatures-Shakespeare": FrozenFeatures(100, 0.1, d.Shakespeare()),
    "ImageNet": d.ImageNet(),
    "SmallImageNet": d.SmallImageNet(),
    "HeavyTailedImageNet": d.HeavyTailedImageNet(),
    "TenBigClassImageNet": d.TenBigClassImageNet(),
    "OneMajorClassImageNet": d.OneMajorClassImageNet(),
}


def named(name: str) -> tuple[str, d.Dataset]:
    """The data set of a name, in any mixture of capitals.

    Returns:
        its name as it is written, and the data set.

    Raises:
        OptexpError: no data set has that name; similar ones are named.

    >>> named("ptb")[1] == d.PTB()
    True
    """
    by_small_letters = {known.lower(): known for known in CATALOGUE}
    known = by_small_letters.get(name.lower())
    if known is None:
        close = difflib.get_close_matches(name.lower(), by_small_letters, n=3, cutoff=0.5)
        meant = f"did you mean {' or '.join(by_small_letters[c] for c in close)}? " if close else ""
        raise OptexpError(
            f"No data set is called '{name}': {meant}`python -m optexp_jax.datasets list` shows "
            "their names.",
            code="unknown-data-set",
            dataset=name,
        )
    return known, CATALOGUE[known]
