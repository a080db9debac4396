"""The search that `pilot.json` comes from: the best step size of each optimizer in each family.

Every small problem is run with one seed over the decades below, for at most 150 steps; the best
stable step size (`results.selection`) is written down, and the time of a step. Run it again after a
change of `forms`; what is done is not run again.

`--timed` takes the times of a step from the small runs in the workspace instead, in which more
steps share a compilation.

Command: python -m experiments.small.pilot [--family NAME | --timed]
Time: 40 minutes on two cores.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence

from experiments.small.forms import Form, form_of
from experiments.small.thinned import PILOT, kind_of, small
from optexp_jax import Experiment
from optexp_jax.config import Settings
from optexp_jax.launch.cli import make_console
from optexp_jax.launch.display import RichDisplay
from optexp_jax.launch.groups import discover
from optexp_jax.launch.local import run_local
from optexp_jax.optim import LineSearchGD, Optimizer, lr_grid
from optexp_jax.results.load import Results, load_results
from optexp_jax.results.selection import best_rates
from optexp_jax.results.store import FINISHED
from optexp_jax.training.pack import group_into_packs

# Decades around the best step sizes, which in a few families are at an end of them.
_DECADES = {
    "SGD": (-3, 2),
    "SGD + momentum": (-4, 1),
    "Adam": (-4, -1),
    "Adam + momentum": (-4, -1),
    "AdamW + momentum": (-4, -1),
    "SignDescent": (-5, -2),
    "SignDescent + momentum": (-6, -3),
    "NormalizedGD": (-2, 1),
    "NormalizedGD + momentum": (-3, 0),
    "ScaledSignDescent": (-8, -4),
    "ScaledSignDescent + momentum": (-9, -5),
    "Adagrad": (-3, 0),
}
_MOST_STEPS = 150


def searches() -> dict[tuple[str, str], list[Experiment]]:
    """The runs of the pilot by family and optimizer."""
    found: dict[tuple[str, str], list[Experiment]] = {}
    for members in discover("experiments").values():
        for experiment in members:
            kind, form = kind_of(experiment.optimizer), form_of(experiment)
            if form.name is None or isinstance(experiment.optimizer, LineSearchGD):
                continue
            found.setdefault((form.name, kind), _search(form, experiment.optimizer, kind))
    return found


def _search(form: Form, optimizer: Optimizer, kind: str) -> list[Experiment]:
    steps = form.steps if form.steps >= 1000 else min(form.steps, _MOST_STEPS)
    return [
        Experiment(
            dataclasses.replace(form.problem, l2=0.0),
            dataclasses.replace(optimizer, learning_rate=rate),
            group="pilot",
            steps=steps,
            eval_every=form.eval_every,
        )
        for rate in lr_grid(*_DECADES[kind])
    ]


def found(runs: list[Experiment], settings: Settings) -> dict[str, str | float]:
    """The best step size of finished runs, and what a step of one of them takes."""
    results = [load_results(run, settings.workspace) for run in runs]
    (rate,) = best_rates(results).values()
    seconds, steps = _spent(results)
    return {"exponent": str(rate.exponent), "ms_per_step": round(1000 * seconds / steps, 2)}


def timed(settings: Settings) -> dict[tuple[str, str], float]:
    """Milliseconds of a step by family and optimizer, of the small runs that are done."""
    spent: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for members in discover("experiments").values():
        for kind in {(e.group, kind_of(e.optimizer)): e for e in members}:
            alike = [e for e in members if (e.group, kind_of(e.optimizer)) == kind]
            family = form_of(alike[0]).name
            for pack in group_into_packs(small(alike)):
                results = [load_results(run, settings.workspace) for run in pack.experiments]
                if family and all(r.status in FINISHED for r in results):
                    spent.setdefault((family, kind[1]), []).append(_spent(results))
    return {
        key: round(1000 * sum(s for s, _ in packs) / sum(n for _, n in packs), 2)
        for key, packs in spent.items()
    }


def _spent(results: Sequence[Results]) -> tuple[float, int]:
    """Seconds and steps of a pack."""
    seconds = max(float(str(r.details["pack_seconds"])) for r in results)
    return seconds, sum(int(r.table["step"].iloc[-1]) for r in results)


def main() -> None:
    """Run what is missing, or time what was run, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", help="only families whose name contains this")
    parser.add_argument(
        "--timed", action="store_true", help="only take the times of small runs in the workspace"
    )
    args = parser.parse_args()
    console, settings = make_console(), Settings.from_env()
    table = json.loads(PILOT.read_text()) if PILOT.exists() else {}
    if args.timed:
        for (family, kind), milliseconds in timed(settings).items():
            # A line search has no step size and lists 10^0.
            table[family].setdefault(kind, {"exponent": "0"})["ms_per_step"] = milliseconds
        _write(table)
        return
    for (family, kind), runs in searches().items():
        if (args.family or "") in family:
            with RichDisplay(console) as display:
                run_local(runs, settings, display=display)
            table.setdefault(family, {})[kind] = entry = found(runs, settings)
            console.print(f"{family}: {kind} 10^{entry['exponent']}")
            _write(table)


def _write(table: dict[str, dict[str, dict[str, str | float]]]) -> None:
    PILOT.write_text(json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
