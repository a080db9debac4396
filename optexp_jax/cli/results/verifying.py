"""`verify`: check that the files of all runs in a workspace are intact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.cli.where import among
from optexp_jax.errors import OptexpError
from optexp_jax.results import changes
from optexp_jax.results.summary import changed_since
from optexp_jax.results.verifying import findings_around, findings_of_run
from optexp_jax.results.workspace import RecordedRuns, own_runs, run_paths


def verify(context: ResultsContext, where: Sequence[str] = ()) -> int:
    """Read every file of every run, and report problems and stray files; 1 if there are any.

    Runs with a class whose code has changed since are reported, but are not a problem.

    Args:
        context: where the runs are.
        where: conditions on runs, see `where.filtered`; only the runs that meet them are read.
    """
    paths = _chosen(context, where) if where else list(run_paths(context.workspace))
    findings = [
        finding
        for path in context.watched(paths, "runs")
        for finding in findings_of_run(context.workspace, path)
    ]
    findings += [] if where else findings_around(context.workspace, _read_checkpoint)
    changed = [changed_since(folder) for folder in _read(context, where).runs]
    if context.json:
        told = [finding._asdict() for finding in findings]
        counts = Counter(name for names in changed for name in names)
        context.emit({"runs": len(paths), "findings": told, "changed": dict(counts)})
        return 1 if findings else 0
    for finding in findings:
        context.say(f"{finding.kind}: {finding.sentence}")
    for sentence in changes.sentences(changed):
        context.say(sentence)
    if not findings:
        context.say(f"No problems: checked every file and row of {len(paths)} runs.")
        return 0
    wrong = {finding.path for finding in findings} & set(paths)
    others = len(findings) - sum(finding.path in wrong for finding in findings)
    context.say(f"{len(wrong)} of {len(paths)} runs have problems; {others} other findings.")
    return 1


def _chosen(context: ResultsContext, where: Sequence[str]) -> list[Path]:
    """The folders of the runs that meet all conditions."""
    recorded = _read(context, where)
    context.tell_unread(recorded.unread)
    return [folder.path for folder in recorded.runs]


def _read(context: ResultsContext, where: Sequence[str]) -> RecordedRuns:
    return among(own_runs(context.workspace), where)


def _read_checkpoint(folder: Path) -> None:
    from optexp_jax.runner.checkpoint import read_checkpoint  # which imports Orbax, for a second

    checkpoint = read_checkpoint(folder)
    if checkpoint and checkpoint.damaged:
        damaged = " and ".join(map(str, checkpoint.damaged))
        raise OptexpError(
            f"Checkpoint {damaged} is damaged: delete it; runs resume from {checkpoint.path}, the "
            "one before.",
            code="newer-checkpoint-damaged",
            damaged=damaged,
            before=checkpoint.path,
        )
