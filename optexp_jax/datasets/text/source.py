"""The texts of a data set in the workspace, and their tokens."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import MissingDataError, folder_of, missing
from optexp_jax.datasets.hashes import remembered_sha256
from optexp_jax.datasets.text.corpora import Corpus
from optexp_jax.datasets.text.encode import encode, is_encoded, tokens_in
from optexp_jax.datasets.text.texts import Text
from optexp_jax.datasets.text.tokens import Tokens, saved
from optexp_jax.errors import OptexpError

# Raised when normalisation, training or files change: what was made before is made again.
_FORMAT = 1
_OFFLINE = "Shakespeare can be used instead"
_PARTS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class TextSource:
    """Which texts of a corpus a data set is made of.

    Args:
        name: of the data set.
        corpus: its first text is what vocabularies are made from.
        first: index of the text that is trained on; the next are for validation and test.
        share: part of the lines of every text that is used.
    """

    name: str
    corpus: Corpus
    first: int = 0
    share: float = 1.0

    def missing(self, workspace: Path) -> str | None:
        """Say what is missing and how to get it; None if nothing is."""
        names = self.corpus.missing(workspace)
        if not names:
            return None
        return missing(self.name, names, self.corpus.folder(workspace), _OFFLINE)

    def fetch(self, workspace: Path, report: Report) -> None:
        """Bring what is missing.

        Raises:
            OptexpError: it cannot be fetched.
        """
        self.corpus.fetch(self.name, workspace, _OFFLINE, report)

    def is_encoded(self, workspace: Path, tokens: Tokens) -> bool:
        """Whether the tokens of the texts are there, whole and up to date."""
        try:
            texts, folder = self._texts(workspace), self._folder(workspace, tokens)
            return is_encoded(folder, texts) and all(len(tokens_in(folder, p)) for p in texts)
        except (OptexpError, OSError):
            return False

    def encoded(self, workspace: Path, tokens: Tokens, report: Report) -> dict[str, np.ndarray]:
        """The tokens of every part, `[N]`, mapped from files that are made if they are not there.

        Raises:
            OptexpError: a file is damaged.
        """
        self.corpus.unpack(workspace)
        texts, folder = self._texts(workspace), self._folder(workspace, tokens)
        if not is_encoded(folder, texts):
            self.corpus.check(workspace)
            file = Path(workspace) / "tokenizers" / f"{folder.name}.json"
            what, vocabulary = f"{self.name}: learning {tokens.name}", self._vocabulary(workspace)
            tokenizer = saved(file, tokens.size, lambda: tokens.train(vocabulary, what, report))
            encode(tokenizer, texts, tokens.size, folder, self.name, report)
        return {part: tokens_in(folder, part) for part in texts}

    def fingerprint(self, workspace: Path, tokens: Tokens) -> str:
        """A text that changes when the texts or the tokens do.

        Raises:
            MissingDataError: a text is not there.
        """
        sentence = self.missing(workspace)
        if sentence:
            raise MissingDataError(sentence, code="data-not-here", dataset=self.corpus.name)
        self.corpus.unpack(workspace)
        hashes = (remembered_sha256(text.path) for text in self._texts(workspace).values())
        return " ".join([self._folder(workspace, tokens).name, str(self.share), *hashes])

    def _texts(self, workspace: Path) -> dict[str, Text]:
        names = self.corpus.files[self.first :]
        paths = (self.corpus.path(workspace, name) for name in names)
        return {part: Text(path, self.share) for part, path in zip(_PARTS, paths, strict=False)}

    def _vocabulary(self, workspace: Path) -> Text:
        return Text(self.corpus.path(workspace, self.corpus.files[0]))

    def _folder(self, workspace: Path, tokens: Tokens) -> Path:
        digest = remembered_sha256(self._vocabulary(workspace).path)[:12]
        corpus = self.corpus.name.lower()
        return folder_of(workspace, self.name) / f"{corpus}-{tokens.name}-{digest}-v{_FORMAT}"
