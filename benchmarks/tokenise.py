"""Time and memory to turn a large text into tokens.

    python -m benchmarks.tokenise --megabytes 540 --tokens bpe

The text is that of the bundled works of Shakespeare, again and again. With `--new-lines 0.02` that
share of the lines is written in other letters at every repetition, so that the number of distinct
words grows with the text, as it does in real ones. A vocabulary is learned from the text, and the
text is written as tokens, in a process of its own, whose peak memory is shown beside what it had
before it began.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import random
import resource
import string
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from optexp_jax.datasets.data import silent
from optexp_jax.datasets.text import BPE, Characters, Unigram, Words
from optexp_jax.datasets.text.encode import encode, tokens_in
from optexp_jax.datasets.text.shakespeare import works
from optexp_jax.datasets.text.texts import Text
from optexp_jax.datasets.text.tokens import Tokens

_MEGABYTE = 10**6
# Vocabularies of the size of WikiText-103.
KINDS: dict[str, Tokens] = {
    "words": Words(50_608),
    "characters": Characters(256),
    "bpe": BPE(50_608),
    "unigram": Unigram(50_608),
}


@dataclasses.dataclass(frozen=True)
class Cost:
    """What it took: tokens, seconds to learn and to write, megabytes before and at the peak."""

    tokens: int
    learning: float
    writing: float
    before: float
    peak: float


def write_text(path: Path, megabytes: int, new_lines: float = 0.0) -> None:
    """A text of so many megabytes (10^6 bytes): the bundled one, repeated."""
    lines = "".join(works().values()).splitlines(keepends=True)
    draw = random.Random(0)
    left = megabytes * _MEGABYTE
    with path.open("w", encoding="utf-8") as file:
        while left > 0:
            other = _other_letters(draw)
            text = "".join(
                line.translate(other) if draw.random() < new_lines else line for line in lines
            )
            left -= file.write(text[:left])


def _other_letters(draw: random.Random) -> dict[int, str]:
    letters = draw.sample(string.ascii_lowercase, 26)
    return dict(zip(map(ord, string.ascii_lowercase), letters, strict=True))


def cost(path: Path, tokens: Tokens) -> Cost:
    """Learn a vocabulary and write the tokens of a text, in a new process."""
    spawn = multiprocessing.get_context("spawn")  # a fork would begin with our own peak
    with ProcessPoolExecutor(1, mp_context=spawn) as child:
        return child.submit(_cost, path, tokens).result()


def _cost(path: Path, tokens: Tokens) -> Cost:
    before, text = _peak(), Text(path)
    began = time.monotonic()
    tokenizer = tokens.train(text, "", silent)
    learned = time.monotonic()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        target = Path(folder) / "tokens"
        encode(tokenizer, {"train": text}, tokens.size, target, "", silent)
        written = time.monotonic()
        count = len(tokens_in(target, "train"))
    return Cost(count, learned - began, written - learned, before, _peak())


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGABYTE


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.tokenise", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=54, help="size of the text (54)")
    parser.add_argument("--tokens", choices=KINDS, nargs="+", default=["words", "bpe"])
    parser.add_argument("--new-lines", type=float, default=0.0, help="share of lines made new (0)")
    options = parser.parse_args(arguments)
    table = Table(title=f"{options.megabytes} MB of text")
    columns = ("tokens", "number", "learned in", "written in", "memory before", "peak memory")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        write_text(path, options.megabytes, options.new_lines)
        for kind in options.tokens:
            found = cost(path, KINDS[kind])
            table.add_row(
                KINDS[kind].name,
                f"{found.tokens:,}",
                f"{found.learning:.0f} s",
                f"{found.writing:.0f} s",
                f"{found.before:.0f} MB",
                f"{found.peak:.0f} MB",
            )
    Console(width=None if Console().is_terminal else 110).print(table)


if __name__ == "__main__":
    main()
