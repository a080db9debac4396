"""Names for figures of a part of a group, so that they never overwrite those of the whole."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Sequence

from optexp_jax.experiment import Experiment
from optexp_jax.optim import LearningRate

_LONGEST = 60  # characters
_HASH = 8
TEST = "test"


def part_name(
    args: argparse.Namespace, chosen: Sequence[Experiment], every: Sequence[Experiment], group: str
) -> str:
    """The filters of a command line as a part of a file name; empty where they leave out nothing.

    Args:
        args: of the command line.
        chosen: the experiments that it chose.
        every: those that it chose from.
        group: whose figures are drawn.

    Returns:
        such as `Adam_lr=1e-2`: letters, digits and the signs `_ . = + -`, at most 60.
    """
    kept, whole = ({e.id for e in of if e.group == group} for of in (chosen, every))
    if kept == whole:
        return ""
    parts = [args.optimizer] if args.optimizer is not None else []
    if args.learning_rate is not None:
        parts.append(f"lr={_rate(LearningRate.parse(args.learning_rate))}")
    parts += sorted("".join(condition.split()) for condition in args.where)
    return safe("_".join(parts)) or "part"


def _rate(rate: LearningRate) -> str:
    """A rate without signs that file systems and shells have a use for.

    >>> _rate(LearningRate(-2)), _rate(LearningRate("-3/2")), _rate(LearningRate(-1, 2))
    ('1e-2', '1e-1.5', '2^-1')
    """
    exponent = float(rate.exponent)
    return f"1e{exponent:g}" if rate.base == 10 else str(rate)


def safe(text: str) -> str:
    """A text as a part of a file name, with a hash where it lost something.

    >>> safe("beta2=0.99"), safe("a<b")
    ('beta2=0.99', 'a_b_4a826aac')
    """
    kept = re.sub(r"[^A-Za-z0-9_.=+-]+", "_", text)
    if kept == text and len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH]
    return f"{kept[: _LONGEST - _HASH - 1]}_{digest}"
