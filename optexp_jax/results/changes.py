"""Find classes whose code has changed since runs were recorded with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from optexp_jax.experiment import Experiment
from optexp_jax.identity import sources_of


def changed_classes(experiment: Experiment, details: Mapping[str, Any]) -> list[str]:
    """List classes whose code differs from when a run started.

    Args:
        experiment: the experiment of the run.
        details: its status, with hashes of the code of classes outside this library.
    """
    before = details.get("sources")
    now = sources_of(experiment) if before else {}
    return [name for name, code in (before or {}).items() if now.get(name, code) != code]


def changed_code(name: str, runs: int) -> str:
    """Return a sentence on runs that were recorded with other code of a class.

    >>> changed_code("my-rmsprop", 1)
    "The code of 'my-rmsprop' has changed since 1 run started: its rows come from the old code. ..."
    """
    run, whose = ("run", "its") if runs == 1 else ("runs", "their")
    return (
        f"The code of '{name}' has changed since {runs} {run} started: {whose} rows come from the "
        "old code. Run them again with --force, or give the changed class a new name."
    )


def sentences(changed: Iterable[Iterable[str]]) -> list[str]:
    """Return a sentence for each class whose code has changed.

    Args:
        changed: for each run, the names of its changed classes.

    >>> [text[:52] for text in sentences([["mine"], [], ["mine"]])]
    ["The code of 'mine' has changed since 2 runs started:"]
    """
    counts = Counter(name for names in changed for name in names)
    return [changed_code(name, runs) for name, runs in counts.items()]
