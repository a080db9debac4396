"""The table of sentences, and whether one of them was printed; tests name it by its code."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOMS = tomllib.loads((Path(__file__).parents[1] / "wording.toml").read_text(encoding="utf-8"))
SENTENCES = {
    code: [told] if isinstance(told, str) else told
    for room in ROOMS.values()
    for code, told in room.items()
}


def is_told(code: str, text: str, **values: Any) -> bool:
    """Whether a text has the sentence of a code, with these values: what a command line prints."""
    templates = [template for template in SENTENCES[code] if template != "{...}"]
    assert templates, f"the sentence of {code} is not in the table"
    return any(re.search(pattern_of(template, **values), text) for template in templates)


def pattern_of(template: str, **values: Any) -> str:
    """What a sentence looks like, with any text for the values that are not given."""
    fixed = re.split(r"\{(.*?)\}", template)
    for i in range(1, len(fixed), 2):
        name = re.split("[!:]", fixed[i])[0]
        shown = repr if "!r" in fixed[i] else str
        fixed[i] = re.escape(shown(values[name])) if name in values else ".*"
    fixed[::2] = map(re.escape, fixed[::2])
    return "".join(fixed)
