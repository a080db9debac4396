"""`merge OTHER_WORKSPACE`: take over the finished runs of another workspace."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.results.merging import COPIED, EQUAL, LEFT, REFUSED, merge

_WORDS = {COPIED: "copied", EQUAL: "here already", LEFT: "left", REFUSED: "refused"}
_MOST = 20  # sentences on runs that were left


def merge_from(context: ResultsContext, other: Path) -> int:
    """Copy what this workspace lacks; 1 if a run was refused.

    Raises:
        OptexpError: `other` is no workspace, or this one.
    """
    merged = list(merge(context.workspace, other))
    counts = Counter(one.what for one in merged)
    if context.json:
        context.emit([one._asdict() for one in merged])
        return 1 if counts[REFUSED] else 0
    context.tell(one.sentence for one in merged if one.what == REFUSED)
    left = [one.sentence for one in merged if one.what == LEFT]
    for sentence in left[:_MOST]:
        context.say(sentence)
    if len(left) > _MOST:
        context.say(f"... and {len(left) - _MOST} more that have not ended.")
    shown = [f"{counts[what]} {words}" for what, words in _WORDS.items() if counts[what]]
    context.say(f"Runs of {other}: {', '.join(shown) or 'none'}.")
    return 1 if counts[REFUSED] else 0
