"""Features of a transformer whose embedding and attention are frozen, as a data set.

On them the last layer of a transformer is a linear model. They are computed once and kept.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from optexp_jax.datasets.classes import ByFrequency, counts_of
from optexp_jax.datasets.data import Data, Facts, Report, Split, silent
from optexp_jax.datasets.data_files import (
    MissingDataError,
    atomic_data_write,
    damaged,
    folder_of,
    made_from,
    needed_by,
)
from optexp_jax.datasets.hashes import hash_of, remembered_sha256
from optexp_jax.datasets.text import Shakespeare, TextDataset, TinyPTB
from optexp_jax.errors import OptexpError, tell_from_damage
from optexp_jax.field_checks import check_integer
from optexp_jax.models import AttentionFeatures
from optexp_jax.numerics import key_of, pinned
from optexp_jax.registry import register

_PARTS = ("train", "validation")
_TOKENS = 1 << 14  # of a batch
_WRITTEN = "written.json"
_FORMAT = 1  # raised when the features of the same fields change


@register("FrozenFeatures")
@dataclasses.dataclass(frozen=True)
class FrozenFeatures(ByFrequency):
    """x + attention(x) at every position of a text, with random weights that are never trained.

    x is the embedding of a token, N(0, 0.02²) · √width, plus its sinusoidal position; the attention
    is one causal head. The label is the next token.

    Args:
        width: of the features: 1,200 in the paper's code, or 600, 300, 100.
        proportion: part of the positions that are used, the first ones, rounded down.
        text: whose tokens.
        seed: of the weights; not that of the run.

    Raises:
        OptexpError: an impossible value.

    >>> FrozenFeatures().facts.train, FrozenFeatures(width=100, proportion=0.5).facts.train
    (71680, 35840)

    Source: the paper, section A.3 and figure 5, whose code asks for the features as files.
    """

    width: int = 1200
    proportion: float = 1.0
    text: TextDataset = dataclasses.field(default_factory=TinyPTB)
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("width of FrozenFeatures", self.width, 2)
        check_integer("seed of FrozenFeatures", self.seed, 0)
        if type(self.proportion) not in (int, float) or not 0 < self.proportion <= 1:
            raise OptexpError(
                "proportion of FrozenFeatures must be above 0 and at most 1, not "
                f"{self.proportion!r}.",
                code="not-a-share",
                field="proportion",
                kind="FrozenFeatures",
                value=self.proportion,
            )
        object.__setattr__(self, "proportion", float(self.proportion))
        if not isinstance(self.text, TextDataset):
            raise OptexpError(
                f"text of FrozenFeatures must be a text such as TinyPTB(), not {self.text!r}.",
                code="wrong-kind",
                field="text",
                kind="FrozenFeatures",
                value=self.text,
            )

    @classmethod
    def listed(cls) -> dict[str, FrozenFeatures]:
        """As the command line lists it."""
        widths = {f"FrozenFeatures-{width}": cls(width) for width in (600, 300, 100)}
        offline = {"FrozenFeatures-Shakespeare": cls(100, 0.1, Shakespeare())}
        return {"FrozenFeatures": cls(), **widths, **offline}

    @property
    def num_classes(self) -> int:
        """Number of classes of the text."""
        return self.text.num_classes

    @property
    def num_inputs(self) -> int:
        """Length of an input."""
        return self.width

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.width,)

    @property
    def facts(self) -> Facts:
        """Sizes, where they are known of the text."""
        facts = self.text.facts
        train, validation = (
            n and int(self.proportion * n) for n in (facts.train, facts.validation)
        )
        return Facts(train, validation)

    @property
    def origin(self) -> str:
        """The corpus whose files are used."""
        return self.text.origin

    def missing(self, workspace: Path) -> str | None:
        """Say what the text lacks; None if nothing."""
        return needed_by(self, self.text, self.text.missing(workspace))

    def is_prepared(self, workspace: Path) -> bool:
        """Whether the features are there, of the text as it is."""
        if not self.text.is_prepared(workspace):
            return False
        text = self.text.load(workspace)
        try:
            return all(len(self._split(workspace, part, getattr(text, part))) for part in _PARTS)
        except OptexpError:
            return False

    def prepare(self, workspace: Path, report: Report = silent) -> None:
        """Prepare the text, and compute the features.

        Raises:
            OptexpError: the text is not here or damaged, or the features cannot be written.
        """
        with made_from(self, self.text):
            self.text.prepare(workspace, report)
        if not self._folder(workspace).is_dir():
            self._compute(workspace, report)
        self.load(workspace)  # what was there may be damaged

    def load(self, workspace: Path) -> Data:
        """Features `[n, width]`, mapped from files that are made first if only the text is there.

        Raises:
            OptexpError: the text is not here, or a file is damaged.
        """
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=type(self).__name__)
        text = self.text.load(workspace)
        if not self._folder(workspace).is_dir():
            self._compute(workspace, silent)
        train, validation = (self._split(workspace, part, getattr(text, part)) for part in _PARTS)
        return Data(train, counts_of(train.labels, self.num_classes), validation)

    def _used(self, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Rows and times of the positions that are used: those with a label, in order."""
        rows, times = np.nonzero(np.asarray(split.labels) >= 0)
        kept = int(self.proportion * len(rows))
        if not kept:
            raise OptexpError(
                f"A proportion of {self.proportion} of {len(rows):,} positions leaves none: use a "
                "larger proportion.",
                code="proportion-is-none",
                proportion=self.proportion,
                positions=len(rows),
            )
        return rows[:kept], times[:kept]

    def _split(self, workspace: Path, part: str, text: Split) -> Split:
        labels = np.asarray(text.labels)[self._used(text)].astype(np.int32)
        path = self._folder(workspace) / f"{part}.npy"
        found = path.stat().st_size if path.is_file() else 0
        if found != self._bytes(len(labels)):
            raise damaged(path, f"expected {self._bytes(len(labels))} bytes, found {found}")
        if remembered_sha256(path) != _written(path.parent).get(part):
            raise damaged(path, "its content has changed")
        return Split(np.load(path, mmap_mode="r"), labels)

    def _bytes(self, positions: int) -> int:
        """Size of a file of features."""
        return len(_header(positions, self.width)) + 4 * positions * self.width

    def _folder(self, workspace: Path) -> Path:
        """The folder of the features; its name is a hash of all that they depend on."""
        fields = f"{self.width} {self.proportion} {self.seed} v{_FORMAT}"
        text = f"{self.text.fingerprint(workspace)} {fields}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return folder_of(workspace, "FrozenFeatures") / f"{self.width}-{digest}"

    def _compute(self, workspace: Path, report: Report) -> None:
        text = self.text.load(workspace)
        model = AttentionFeatures(self.text.vocabulary, self.width)
        time = self.text.layout.length
        with pinned(), atomic_data_write(self._folder(workspace)) as folder:
            folder.mkdir()
            params = model.init(key_of(self.seed), jnp.zeros((1, time), jnp.int32))
            apply = functools.partial(jax.jit(model.apply), params)
            for part in _PARTS:
                self._write(folder / f"{part}.npy", getattr(text, part), apply, report)
            hashes = {part: hash_of(folder / f"{part}.npy", "sha256") for part in _PARTS}
            (folder / _WRITTEN).write_text(json.dumps(hashes), encoding="utf-8")

    def _write(self, path: Path, text: Split, apply, report: Report) -> None:
        """Write the features of a part, a batch of sequences after the other."""
        rows, times = self._used(text)
        size = max(1, _TOKENS // self.text.layout.length)
        with path.open("wb") as file:  # not mapped: a full disk would end the process
            file.write(_header(len(rows), self.width))
            for start in range(0, int(rows[-1]) + 1, size):
                tokens = np.asarray(text.inputs[start : start + size]).astype(np.int32)
                batch = np.zeros((size, tokens.shape[1]), np.int32)
                batch[: len(tokens)] = tokens
                features = np.asarray(apply(batch))
                first, last = np.searchsorted(rows, [start, start + size])
                file.write(features[rows[first:last] - start, times[first:last]].tobytes())
                report(f"FrozenFeatures: {path.stem}", int(last), len(rows))


def _written(folder: Path) -> dict[str, str]:
    """The hashes of the files of features as they were written."""
    try:
        return dict(json.loads((folder / _WRITTEN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        tell_from_damage(folder / _WRITTEN, error)
        raise damaged(folder / _WRITTEN, "it cannot be read") from error


def _header(positions: int, width: int) -> bytes:
    """The first bytes of a NumPy file of float32."""
    about = {"descr": "<f4", "fortran_order": False, "shape": (positions, width)}
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, about)
    return buffer.getvalue()
