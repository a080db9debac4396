"""`Experiment`: one training run as a value, with an id."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from typing import Any

from optexp_jax import identity
from optexp_jax.errors import OptexpError
from optexp_jax.metrics import Metric, SummedMetric, check_metrics
from optexp_jax.optim import Optimizer
from optexp_jax.problem import Problem
from optexp_jax.registry import neutral
from optexp_jax.targets import BY_CLASS, targets_of

SCHEMA = 1
_NOT_A_DEFINITION = (
    "This is not the definition of an experiment (damaged or cut short): delete it and run the "
    "experiment again with --force."
)
_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+-]*")


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """One training run: what to learn, with which optimizer, for how long.

    Two experiments are equal exactly when their ids are.

    Args:
        problem: model, data set, loss and batches.
        optimizer: an optimizer such as `Adam(LearningRate(-2))`.
        group: name of the folder for the results; not part of the id.
        seed: seeds the parameters, the data order and dropout, and the data of a data set with
            `seed=None`.
        epochs: length of the run in epochs; give either this or `steps`.
        steps: length of the run in steps.
        eval_every: distance between recorded rows, in the unit of the length.
        per_class: whether to record losses and accuracies for every class.
        keep_steps: steps at which to save the parameters; not part of the id.
        metrics: metrics to record beside loss and accuracy, such as `(TopK(5),)`.

    Raises:
        OptexpError: not exactly one of epochs and steps, or an impossible value.

    >>> from optexp_jax.datasets import HeavyTailedOneHot
    >>> from optexp_jax.losses import SquaredLoss
    >>> from optexp_jax.models import Linear
    >>> from optexp_jax.optim import SGD, LearningRate
    >>> problem = Problem(Linear(111, 111), HeavyTailedOneHot(100), SquaredLoss())
    >>> experiment = Experiment(problem, SGD(LearningRate(0)), group="demo", steps=100)
    >>> Experiment.from_json(experiment.to_json()) == experiment
    True
    """

    problem: Problem
    optimizer: Optimizer
    group: str = dataclasses.field(compare=False)
    seed: int = 0
    epochs: int | None = None
    steps: int | None = None
    eval_every: int = 1
    per_class: bool = False
    keep_steps: tuple[int, ...] = dataclasses.field(default=(), compare=False)
    metrics: tuple[Metric | SummedMetric, ...] = dataclasses.field(default=(), metadata=neutral(()))

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise OptexpError(
                "An experiment needs its length in either epochs or steps: give exactly one of "
                "them.",
                code="length-not-given-once",
                epochs=self.epochs,
                steps=self.steps,
            )
        for name in ("epochs", "steps", "eval_every"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise OptexpError(
                    f"{name} must be an integer from 1, not {value!r}.",
                    code="not-an-integer",
                    field=name,
                    value=value,
                    least=1,
                )
        if type(self.seed) is not int or not 0 <= self.seed < 2**32:
            raise OptexpError(
                f"The seed must be an integer from 0 to 2^32 - 1, not {self.seed!r}.",
                code="not-an-integer",
                field="seed",
                value=self.seed,
                least=0,
            )
        if type(self.per_class) is not bool:
            raise OptexpError(
                f"per_class must be True or False, not {self.per_class!r}.",
                code="not-a-flag",
                field="per_class",
                value=self.per_class,
            )
        if not isinstance(self.group, str) or not _GROUP.fullmatch(self.group):
            raise OptexpError(
                f"The group {self.group!r} cannot be the name of a folder: use only letters, "
                "digits and the signs _ . = + -.",
                code="not-a-group-name",
                group=self.group,
            )
        kept = self.keep_steps if isinstance(self.keep_steps, tuple | list | range) else (None,)
        if not all(type(step) is int and step >= 0 for step in kept):
            raise OptexpError(
                f"keep_steps must be a tuple of integers from 0, not {self.keep_steps!r}.",
                code="keep-steps-malformed",
                value=self.keep_steps,
            )
        object.__setattr__(self, "keep_steps", tuple(sorted(set(self.keep_steps))))
        targets = targets_of(self.problem.dataset)
        if self.per_class and targets not in BY_CLASS:
            raise OptexpError(
                f"Labels that are {targets} do not have one class each: set per_class=False.",
                code="no-classes",
                targets=targets,
            )
        metrics = check_metrics(self.metrics, self.problem.loss, targets)
        object.__setattr__(self, "metrics", metrics)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    @functools.cached_property
    def id(self) -> str:
        """SHA-256 of the canonical JSON of every scientific field, 64 hexadecimal digits."""
        text = identity.canonical({"schema": SCHEMA, **identity.encode_fields(self)})
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def run_key(self) -> tuple[str, str]:
        """Group and id, which name the folder of the results."""
        return self.group, self.id

    @property
    def place(self) -> tuple[str, str]:
        """The old name of `run_key`."""
        return self.run_key

    @property
    def short_id(self) -> str:
        """The first eight digits of the id."""
        return self.id[:8]

    def to_json(self) -> str:
        """Return a readable definition, from which `from_json` rebuilds the experiment."""
        document = {
            "schema": SCHEMA,
            "id": self.id,
            "group": self.group,
            "keep_steps": list(self.keep_steps),
            "experiment": identity.encode_fields(self),
        }
        return json.dumps(document, indent=1, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """Rebuild the experiment from a definition that `to_json` wrote.

        Raises:
            OptexpError: another schema, an unknown class, or a definition that was edited.
        """
        document = _parse(text)
        mismatch = (
            f"The definition of experiment {str(document['id'])[:8]} does not match its id: it was "
            "edited, or written by another version; run it again with --force."
        )
        try:
            fields = identity.decode_fields(cls, document["experiment"])
            kept = tuple(document["keep_steps"])
            experiment = cls(**fields, group=document["group"], keep_steps=kept)
        except OptexpError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise OptexpError(mismatch, code="definition-mismatch", id=document["id"]) from error
        if experiment.id != document["id"]:
            raise OptexpError(mismatch, code="definition-mismatch", id=document["id"])
        return experiment


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        schema = document["schema"]
        if schema == SCHEMA and {"experiment", "group", "id", "keep_steps"} <= set(document):
            return document
    except (ValueError, TypeError, KeyError) as error:
        raise OptexpError(_NOT_A_DEFINITION, code="not-a-definition") from error
    if schema == SCHEMA:
        raise OptexpError(_NOT_A_DEFINITION, code="not-a-definition")
    raise OptexpError(
        f"The experiment has schema {schema}, but this version reads schema {SCHEMA}: use the "
        "version of optexp-jax that wrote it.",
        code="other-schema",
        schema=schema,
        known=SCHEMA,
    )
