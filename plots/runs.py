"""Where the runs of a figure come from: modules of experiments, ours at a scale or the authors'."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

from experiments.small import small
from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.forms import SCALES, option_of, plain_group
from optexp_jax.optim import Optimizer, momentum_of
from optexp_jax.plotting.available import chosen_runs, missing_note
from optexp_jax.results import release_ids
from optexp_jax.results.load import Results, load_results
from optexp_jax.results.selection import is_finished, worst_seed
from plots.options import SOURCES


class MissingRunsError(OptexpError):
    """A figure needs runs that are not there; says what makes them."""


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The runs of a problem that figures show: each method at one learning rate, by seed.

    Args:
        runs: seeds of each method.
        step: where seeds are compared, None for the end.
        remedy: what makes runs that are missing, as the end of a sentence.
        note: what is missing of them.
    """

    runs: dict[Optimizer, list[Results]]
    step: int | None = None
    remedy: str = ""
    note: str = ""

    def worst(self, kind: type, momentum: bool) -> Results:
        """The seed of a method with the worst final loss.

        Raises:
            MissingRunsError: the method was not run, or diverged.
        """
        return worst_seed(self.of(kind, momentum), self.step)

    def of(self, kind: type, momentum: bool) -> list[Results]:
        """The seeds of a method.

        Raises:
            MissingRunsError: the method was not run, or diverged.
        """
        for method, runs in self.runs.items():
            if type(method) is kind and (momentum_of(method) > 0) == momentum:
                return runs
        with_momentum = " with momentum" if momentum else ""
        raise MissingRunsError(
            f"{kind.__name__}{with_momentum} was not run, or diverged: {self.remedy}",
            code="method-not-run",
            method=kind.__name__,
            momentum=momentum,
        )

    def only(self, *methods: tuple[type, bool]) -> dict[Optimizer, list[Results]]:
        """Some methods, in this order."""
        found = [self.of(*method) for method in methods]
        return {runs[0].experiment.optimizer: runs for runs in found}

    @property
    def any(self) -> Results:
        """Any of the runs, for what all have in common."""
        return next(iter(self.runs.values()))[0]


@dataclasses.dataclass(frozen=True)
class Runs:
    """Results by module.

    Args:
        workspace: where they are.
        scale: `paper`, `medium` or `small`.
        source: `ours`, or `paper` for the runs that its authors released, at the paper's scale.
        whole: whether a group of which some runs are missing is no data at all, as for claims,
            whose verdicts could change with the rest.

    Raises:
        OptexpError: another scale or source, or the paper's runs at another scale than its own.
    """

    workspace: Path
    scale: str
    source: str = "ours"
    whole: bool = False

    def __post_init__(self) -> None:
        for name, known in (("scale", SCALES), ("source", SOURCES)):
            if getattr(self, name) not in known:
                raise OptexpError(
                    f"There is no {name} '{getattr(self, name)}': choose from {', '.join(known)}.",
                    code="unknown-choice",
                    field=name,
                    value=getattr(self, name),
                    choices=known,
                )
        if self.source == "paper" and self.scale != "paper":
            raise OptexpError(
                f"The paper released no runs at {self.scale} scale: leave out --source paper, or "
                f"--scale {self.scale}.",
                code="nothing-released",
                scale=self.scale,
            )

    def experiments(self, *modules: str) -> list[Experiment]:
        """The experiments that modules declare, at this scale."""
        declared = [
            e for m in modules for e in importlib.import_module(f"experiments.{m}").experiments
        ]
        return small.at(self.scale, declared)

    def have(self, *modules: str) -> bool:
        """Whether every one of modules declares experiments at this scale."""
        return all(self.experiments(module) for module in modules)

    def of(self, *modules: str, group: str | None = None) -> list[Results]:
        """Results of all experiments of modules, or of a group of theirs.

        Raises:
            MissingRunsError: none of them is finished; says what makes them.
        """
        wanted = [e for e in self.experiments(*modules) if group in (None, plain_group(e.group))]
        if not wanted and self.scale == "medium":
            raise MissingRunsError(
                f"{', '.join(modules)}: there is no medium form: use --scale small or --scale "
                "paper.",
                code="no-medium-form",
                modules=modules,
            )
        load = load_results if self.source == "ours" else release_ids.load
        results = [load(e, self.workspace) for e in wanted]
        finished = [is_finished(r) for r in results]
        if not (all(finished) if self.whole else any(finished)):
            raise MissingRunsError(self.remedy(*modules), code="runs-missing", modules=modules)
        return results

    def groups(self, module: str) -> list[str]:
        """The groups of a module, by the names of the paper."""
        return list(dict.fromkeys(plain_group(e.group) for e in self.experiments(module)))

    def chosen(self, *modules: str, group: str | None = None, step: int | None = None) -> Chosen:
        """Each method at its best learning rate.

        Raises:
            MissingRunsError: none of them is finished; says what makes them.
        """
        results = self.of(*modules, group=group)
        note = missing_note(results, step)
        return Chosen(chosen_runs(results, step), step, self.remedy(*modules), note)

    def at(self, module: str, *optimizers: Optimizer, step: int | None = None) -> Chosen:
        """Methods at the learning rates given, where the best final loss is not what is shown.

        Raises:
            MissingRunsError: one of them was not run; says what makes it.
        """
        results = self.of(module)
        by_method = {
            optimizer: [r for r in results if r.experiment.optimizer == optimizer and len(r.table)]
            for optimizer in optimizers
        }
        if not all(by_method.values()):
            raise MissingRunsError(self.remedy(module), code="method-not-run", modules=(module,))
        return Chosen(by_method, step, self.remedy(module))

    def remedy(self, *modules: str) -> str:
        """The command that runs modules, as the end of a sentence."""
        if self.source == "paper":
            return release_ids.remedy(self.workspace, self.experiments(*modules))
        option = option_of(self.scale)
        commands = (f"python -m experiments.{m} --local{option}" for m in modules)
        return f"run {' && '.join(commands)}"
