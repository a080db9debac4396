"""`verify`: whether all that a workspace holds of its runs is whole."""

from __future__ import annotations

from pathlib import Path

from optexp_jax.cli.results.context import ResultsContext
from optexp_jax.results.verifying import findings_around, findings_of_run
from optexp_jax.results.workspace import run_paths


def verify(context: ResultsContext) -> int:
    """Read every file of every run, and name what is wrong or belongs to no run; 1 if anything."""
    paths = list(run_paths(context.workspace))
    findings = [
        finding
        for path in context.watched(paths, "runs")
        for finding in findings_of_run(context.workspace, path)
    ]
    findings += findings_around(context.workspace, _read_checkpoint)
    if context.json:
        context.emit({"runs": len(paths), "findings": [f._asdict() for f in findings]})
        return 1 if findings else 0
    for finding in findings:
        context.say(f"{finding.kind}: {finding.sentence}")
    if not findings:
        context.say(f"All is well: {len(paths)} runs, every file read, every row there.")
        return 0
    wrong = {finding.path for finding in findings} & set(paths)
    others = len(findings) - sum(finding.path in wrong for finding in findings)
    context.say(f"{len(wrong)} of {len(paths)} runs are not whole; {others} other findings.")
    return 1


def _read_checkpoint(folder: Path) -> None:
    from optexp_jax.runner.checkpoint import read_checkpoint  # which imports Orbax, for a second

    read_checkpoint(folder)
