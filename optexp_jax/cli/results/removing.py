"""`prune` and `rm`: remove what nobody needs, or a group or a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.results import pruning
from optexp_jax.results.pruning import Unneeded
from optexp_jax.results.sizes import in_words, size_of
from optexp_jax.results.workspace import RUNS, groups, run_path, run_paths

_WORDS = {
    "checkpoints": "checkpoints that no run goes on from",
    "compiled": "compiled programs",
    "leftover": "leftovers of processes that are gone",
}


def prune(context: ResultsContext, every_program: bool, yes: bool, dry_run: bool) -> int:
    """Remove what nobody needs, once somebody agrees; 1 if nobody does.

    Args:
        context: where it is.
        every_program: whether all compiled programs go, not only those of other versions of JAX.
        yes: whether nobody is asked.
        dry_run: whether nothing is removed.

    Raises:
        OptexpError: nobody can be asked.
    """
    things = pruning.unneeded(context.workspace, every_program)
    kept = [
        f"The checkpoints of {group} stay, as the status of a run is damaged: "
        "`optexp results verify` names it."
        for group in pruning.undecided(context.workspace)
    ]
    if not context.json:
        _say_what(context, things)
    context.tell(kept)
    removed: Sequence[Unneeded] = []
    if things and not dry_run:
        if not context.agrees(f"Remove {_total(things)}?", yes):
            context.say("Nothing was removed.")
            return 1
        removed = pruning.remove(context.workspace, things)
        if not context.json:
            context.say(f"Removed {_total(removed)}.")
    if context.json:
        listed = [thing._asdict() | {"removed": thing in removed} for thing in things]
        context.emit({"things": listed, "bytes": sum(thing.bytes for thing in things)})
    return 0


def _say_what(context: ResultsContext, things: Sequence[Unneeded]) -> None:
    for kind, words in _WORDS.items():
        members = [thing for thing in things if thing.kind == kind]
        if members:
            context.say(f"{_total(members)}: {words}")
            for thing in members:
                context.say(f"  {thing.path}")
    if not things:
        context.say("There is nothing to remove.")


def _total(things: Sequence[Unneeded]) -> str:
    return in_words(sum(thing.bytes for thing in things))


def remove(context: ResultsContext, wanted: str, yes: bool, dry_run: bool) -> int:
    """Remove a group or a run, once somebody agrees; 1 if nobody does.

    Raises:
        OptexpError: there is no such group or run, a process runs it, or nobody can be asked.
    """
    workspace = context.workspace
    is_group = wanted in groups(workspace)
    path = workspace / RUNS / wanted if is_group else run_path(workspace, wanted)
    pruning.require_unlocked(list(path.iterdir()) if is_group else [path])
    number = sum(1 for _ in run_paths(workspace, wanted)) if is_group else 1
    size = size_of(path)
    what = f"{number} run{'' if number == 1 else 's'}, {in_words(size)}: {path}"
    if dry_run:
        return _tell(context, path, number, size, False, f"Would remove {what}")
    if not context.agrees(f"Remove {what}?", yes):
        context.say("Nothing was removed.")
        return 1
    if is_group:
        pruning.remove_group(workspace, wanted)
    else:
        pruning.remove_run(workspace, path)
    return _tell(context, path, number, size, True, f"Removed {what}")


def _tell(
    context: ResultsContext, path: Path, runs: int, size: int, removed: bool, text: str
) -> int:
    if context.json:
        context.emit(
            {"path": path, "runs": runs, "bytes": size or size_of(path), "removed": removed}
        )
    else:
        context.say(text)
    return 0
