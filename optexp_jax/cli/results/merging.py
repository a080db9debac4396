"""`merge OTHER_WORKSPACE`: copy the finished runs of another workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.where import among
from optexp_jax.results.merging import COPIED, EQUAL, LEFT, REFUSED, merge, require_other
from optexp_jax.results.workspace import own_runs

_WORDS = {COPIED: "copied", EQUAL: "already here", LEFT: "skipped", REFUSED: "refused"}
_MOST = 20  # sentences on runs that were left


def merge_from(context: ResultsContext, other: Path, where: Sequence[str] = ()) -> int:
    """Copy the runs that this workspace lacks; 1 if a run was refused.

    Args:
        context: where they go to.
        other: the other workspace.
        where: conditions on its runs, see `where.filtered`; only those that meet them are copied.

    Raises:
        OptexpError: `other` is no workspace, or this one.
    """
    merged = list(merge(context.workspace, other, _chosen(context, other, where)))
    counts = Counter(one.what for one in merged)
    if context.json:
        context.emit([one._asdict() for one in merged])
        return 1 if counts[REFUSED] else 0
    context.tell(one.sentence for one in merged if one.what == REFUSED)
    left = [one.sentence for one in merged if one.what == LEFT]
    for sentence in left[:_MOST]:
        context.say(sentence)
    if len(left) > _MOST:
        context.say(f"... and {len(left) - _MOST} more.")
    shown = [f"{counts[what]} {words}" for what, words in _WORDS.items() if counts[what]]
    context.say(f"Runs of {other}: {', '.join(shown) or 'none'}.")
    return 1 if counts[REFUSED] else 0


def _chosen(context: ResultsContext, other: Path, where: Sequence[str]) -> list[Path] | None:
    """The runs that meet all conditions; None for all."""
    if not where:
        return None
    require_other(context.workspace, other)
    recorded = among(own_runs(other), where)
    context.tell_unread(recorded.unread)
    return [folder.path for folder in recorded.runs]
