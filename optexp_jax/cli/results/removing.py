"""`prune` and `rm`: remove files that are no longer needed, a group or a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.where import among
from optexp_jax.results import pruning
from optexp_jax.results.pruning import Unneeded
from optexp_jax.results.sizes import in_words, size_of
from optexp_jax.results.workspace import RUNS, groups, own_runs, run_path, run_paths

_WORDS = {
    "checkpoints": "checkpoints from which no run resumes",
    "compiled": "compiled programs",
    "leftover": "leftovers of processes that have ended",
}


def prune(context: ResultsContext, every_program: bool, yes: bool, dry_run: bool) -> int:
    """Remove files that are no longer needed, after a question; 1 if the answer is no.

    Args:
        context: of the command.
        every_program: whether to remove all compiled programs, not only those of other versions
            of JAX.
        yes: whether to remove without a question.
        dry_run: whether to remove nothing.

    Raises:
        OptexpError: there is no terminal for the question.
    """
    things = pruning.unneeded(context.workspace, every_program)
    kept = [
        f"The checkpoints of {group} are kept, since the status of a run is damaged: "
        "see `optexp results verify`."
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


def remove(
    context: ResultsContext, wanted: str, yes: bool, dry_run: bool, where: Sequence[str] = ()
) -> int:
    """Remove a group or a run, after a question; 1 if the answer is no.

    Args:
        context: of the command.
        wanted: name of a group, or the first digits of an id.
        yes: whether to remove without a question.
        dry_run: whether to remove nothing.
        where: conditions, see `where.filtered`; removes only the runs of a group that meet them.

    Raises:
        OptexpError: there is no such group or run, a process runs it, or there is no terminal
            for the question.
    """
    workspace = context.workspace
    if where:
        return _remove_some(context, wanted, where, yes, dry_run)
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


def _remove_some(
    context: ResultsContext, group: str, where: Sequence[str], yes: bool, dry_run: bool
) -> int:
    """Remove the runs of a group that meet all conditions."""
    workspace = context.workspace
    recorded = among(own_runs(workspace, group), where)
    context.tell_unread(recorded.unread)
    paths = [folder.path for folder in recorded.runs]
    pruning.require_unlocked(paths)
    number, size = len(paths), sum(map(size_of, paths))
    folder = workspace / RUNS / group
    what = f"{number} run{'' if number == 1 else 's'}, {in_words(size)}: of {folder}"
    if dry_run:
        return _tell(context, folder, number, size, False, f"Would remove {what}")
    if not context.agrees(f"Remove {what}?", yes):
        context.say("Nothing was removed.")
        return 1
    for path in paths:
        pruning.remove_run(workspace, path)
    return _tell(context, folder, number, size, True, f"Removed {what}")


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
