"""The search that `pilot.json` comes from: the best learning rate of each optimizer in each family.

Every small problem is run with three seeds, as one learning rate may suit two of them and fail the
third, for at most 200 steps, at half a decade around the learning rate of the file, or around the
middle of those of other families for a new one; the search follows the best stable one
(`results.selection`) until both of its neighbours are worse. That is written down, with the time of
a step. Run it again after a change of a family's `small_forms`; what is done is not run again.
Entries of whole decades are of an earlier search, with one seed.

`--timed` takes the times of a step from the small runs in the workspace instead, in which more
steps share a compilation; those of the file are of one call on an idle machine.

Command: python -m tools.pilot [--family NAME | --timed]
Time: about two hours on two cores, half of it for text.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from experiments.small import small
from experiments.small.form import Form, form_of
from experiments.small.rates import PILOT, pilot
from optexp_jax import Experiment
from optexp_jax.atomic_write import atomic_write
from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.cli.package_main import discover
from optexp_jax.config import Settings
from optexp_jax.grid import at_rate, method_name
from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.results.load import Results, load_results
from optexp_jax.results.selection import best_rates
from optexp_jax.results.store import FINISHED
from optexp_jax.runner.bars import RichDisplay
from optexp_jax.runner.display import Display
from optexp_jax.runner.local import run_local
from optexp_jax.training.pack import group_into_packs

# The exponent to start from where nothing is known of a kind of optimizer.
_HALF = Fraction(1, 2)
_MOST_STEPS = 200
_SEEDS = (0, 1, 2)
PACKAGES = ("experiments", "experiments.beyond")


@dataclasses.dataclass(frozen=True)
class Search:
    """The learning rates of one optimizer in one family.

    Args:
        form: the small problem.
        optimizer: at any learning rate.
        start: the exponent to begin at.
        seeds: over which the worst loss counts.
    """

    form: Form
    optimizer: Optimizer
    start: Fraction
    seeds: tuple[int, ...] = _SEEDS

    def runs_at(self, exponent: Fraction) -> list[Experiment]:
        """The runs of the search at a learning rate."""
        steps = self.form.steps
        first = Experiment(
            dataclasses.replace(self.form.problem, l2=0.0),
            at_rate(self.optimizer, exponent),
            group="pilot",
            steps=steps if steps >= 500 else min(steps, _MOST_STEPS),
            eval_every=self.form.eval_every,
        )
        return [dataclasses.replace(first, seed=seed) for seed in self.seeds]


def declared() -> list[list[Experiment]]:
    """The lists of all modules: those of the paper, and those beyond it."""
    return [e for package in PACKAGES for e in discover(package).values()]


def searches(seeds: int = len(_SEEDS)) -> dict[tuple[str, str], Search]:
    """The searches of the pilot by family and optimizer."""
    by_kind: dict[tuple[str, str], Search] = {}
    for members in declared():
        for experiment in members:
            kind, form = method_name(experiment.optimizer), form_of(experiment)
            if form.name is None or kind in form.rates:
                continue
            if not has_rate(experiment.optimizer):
                continue
            known = pilot() if PILOT.exists() else {}
            start = start_of(form.name, kind, known, _middle(members, kind))
            search = Search(form, experiment.optimizer, start, _SEEDS[:seeds])
            by_kind.setdefault((form.name, kind), search)
    return by_kind


def _middle(members: Sequence[Experiment], kind: str) -> Fraction:
    """The middle of the exponents that a module declares for a method."""
    of_kind = {e.optimizer.learning_rate for e in members if method_name(e.optimizer) == kind}
    return statistics.median_low(sorted(of_kind)).exponent


def start_of(
    family: str, kind: str, known: dict[str, dict[str, Any]], middle: Fraction
) -> Fraction:
    """The exponent to start from: of the last search, the median of those of other families, or the
    middle of those that are declared.

    >>> known = {"a": {"A": {"exponent": "-5/2"}}, "b": {"A": {"exponent": "-1"}}}
    >>> [str(start_of(f, k, known, Fraction(0))) for f, k in ("bA", "cA", "cN")]
    ['-1', '-5/2', '0']
    """
    if kind in known.get(family, {}):
        return Fraction(known[family][kind]["exponent"])
    others = [Fraction(kinds[kind]["exponent"]) for kinds in known.values() if kind in kinds]
    return statistics.median_low(others) if others else middle


def climb(best: Fraction, evaluate: Callable[[set[Fraction]], Fraction]) -> Fraction:
    """The exponent whose neighbours, half a decade away, are both no better.

    Args:
        best: where to begin.
        evaluate: the best of some exponents.

    >>> climb(Fraction(-3), lambda some: min(some, key=lambda x: abs(x - Fraction("-3/2"))))
    Fraction(-3, 2)
    """
    tried: set[Fraction] = set()
    while new := {best - _HALF, best, best + _HALF} - tried:
        tried |= new
        best = evaluate(tried)
    return best


def found(search: Search, settings: Settings, display: Display) -> dict[str, str | float]:
    """The best learning rate of a search, and what a step of its runs takes."""
    results: list[Results] = []

    def evaluate(exponents: set[Fraction]) -> Fraction:
        runs = [run for exponent in sorted(exponents) for run in search.runs_at(exponent)]
        outcome = run_local(runs, settings, display=display)
        if outcome.stopped:
            raise SystemExit(128 + outcome.stopped)
        results[:] = [load_results(run, settings.workspace) for run in runs]
        # Where every run diverges the search goes down.
        return min((r.exponent for r in best_rates(results).values()), default=min(exponents))

    best = climb(search.start, evaluate)
    seconds, steps = _spent(results)
    return {"exponent": str(best), "ms_per_step": round(1000 * seconds / steps, 2)}


def timed(settings: Settings) -> dict[tuple[str, str], float]:
    """Milliseconds of a step by family and optimizer, of the small runs that are done."""
    spent: dict[tuple[str, str], list[tuple[float, int]]] = {}
    for members in declared():
        for kind in {(e.group, method_name(e.optimizer)): e for e in members}:
            alike = [e for e in members if (e.group, method_name(e.optimizer)) == kind]
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
    """Seconds and steps of packs, whose runs each have the seconds of the whole pack."""
    packs: dict[object, float] = {}
    for r in results:
        pack = r.details["pack"]
        packs[pack] = max(packs.get(pack, 0.0), float(str(r.details["pack_seconds"])))
    return sum(packs.values()), sum(int(r.table["step"].iloc[-1]) for r in results)


def main() -> int:
    """Run what is missing, or time what was run, and write the file; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", help="only families whose name contains this")
    parser.add_argument("--seeds", type=int, default=len(_SEEDS), help="of each run, 1 to 3")
    parser.add_argument("--new", action="store_true", help="only what the file does not have")
    parser.add_argument(
        "--timed", action="store_true", help="only take the times of small runs in the workspace"
    )
    args = parser.parse_args()
    console, settings = make_console(), Settings.from_env()
    known = pilot() if PILOT.exists() else {}
    table = {family: dict(kinds) for family, kinds in known.items()}
    if args.timed:
        for (family, kind), milliseconds in timed(settings).items():
            # A line search has no learning rate and lists 10^0.
            of_family = table.setdefault(family, {})
            of_family.setdefault(kind, {"exponent": "0"})["ms_per_step"] = milliseconds
        _write(table)
        return 0
    for (family, kind), search in searches(args.seeds).items():
        is_known = args.new and kind in known.get(family, {})
        if (args.family or "") in family and not is_known:
            with RichDisplay(console) as display:
                entry = found(search, settings, display)
            table.setdefault(family, {})[kind] = entry
            console.print(f"{family}: {kind} 10^{entry['exponent']}")
            _write(table)
    return 0


def _write(table: dict[str, dict[str, dict[str, str | float]]]) -> None:
    text = json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    with atomic_write(PILOT) as new:
        new.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(guarded(main))
