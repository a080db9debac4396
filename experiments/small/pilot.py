"""The search that `pilot.json` comes from: the best step size of each optimizer in each family.

Every small problem is run with one seed over the decades below, for at most 150 steps; the best
stable step size (`results.selection`) is written down, and the time of a step. Run it again after a
change of `forms`; what is done is not run again.

Command: python -m experiments.small.pilot [--family NAME]
Time: 40 minutes on two cores.
"""

from __future__ import annotations

import argparse
import dataclasses
import json

from experiments.small.forms import Form, form_of
from experiments.small.thinned import PILOT, kind_of
from optexp_jax import Experiment
from optexp_jax.config import Settings
from optexp_jax.launch.cli import make_console
from optexp_jax.launch.display import RichDisplay
from optexp_jax.launch.groups import discover
from optexp_jax.launch.local import run_local
from optexp_jax.optim import LineSearchGD, Optimizer, lr_grid
from optexp_jax.results.load import load_results
from optexp_jax.results.selection import best_rates

# Decades that hold the best step size of every family.
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
    seconds = max(float(str(r.details["pack_seconds"])) for r in results)
    steps = sum(int(r.table["step"].iloc[-1]) for r in results)
    return {"exponent": str(rate.exponent), "ms_per_step": round(1000 * seconds / steps, 2)}


def main() -> None:
    """Run what is missing, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", help="only families whose name contains this")
    chosen = parser.parse_args().family or ""
    console, settings = make_console(), Settings.from_env()
    table = json.loads(PILOT.read_text()) if PILOT.exists() else {}
    for (family, kind), runs in searches().items():
        if chosen in family:
            with RichDisplay(console) as display:
                run_local(runs, settings, display=display)
            table.setdefault(family, {})[kind] = entry = found(runs, settings)
            console.print(f"{family}: {kind} 10^{entry['exponent']}")
            PILOT.write_text(json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
