"""The pages of `docs/`: their code, and the command lines that they name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_MADE = ("_build", "generated")


def pages():
    """Every page that is written by hand."""
    return [p for p in sorted(DOCS.rglob("*.md")) if not set(_MADE) & set(p.parts)]


def blocks(path):
    """The Python code that a page shows."""
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def name_of(path):
    """A page by its path in `docs/`, without ending."""
    return path.relative_to(DOCS).with_suffix("").as_posix()
