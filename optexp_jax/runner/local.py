"""Run experiments on this machine, in packs, and resume interrupted runs."""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optexp_jax.config import Settings
from optexp_jax.datasets.data import Data, InFiles, Split
from optexp_jax.datasets.data_files import MissingDataError
from optexp_jax.datasets.loading import loaded
from optexp_jax.datasets.preparing import prepare_once
from optexp_jax.errors import GoneError, OptexpError, UnwritableError
from optexp_jax.experiment import Experiment
from optexp_jax.grid import unique
from optexp_jax.host import allow_open_files, keep_freed_memory
from optexp_jax.numerics import pinned
from optexp_jax.results import checked_files, status
from optexp_jax.results.changes import changed_code
from optexp_jax.results.provenance import differences
from optexp_jax.results.run_folders import RunFolders, to_read
from optexp_jax.results.status import FINISHED
from optexp_jax.results.store import RunFolder
from optexp_jax.results.wandb.child import Reader, open_reader
from optexp_jax.runner.checkpoint import Checkpoint, read_checkpoint, say_damaged
from optexp_jax.runner.display import Display, Silent
from optexp_jax.runner.failures import Failures
from optexp_jax.runner.multihost import broadcast_plan
from optexp_jax.runner.options import RunOptions
from optexp_jax.runner.output import ReaderGoneError
from optexp_jax.runner.pack_run import PackPlan, PackRun
from optexp_jax.runner.preparation import missing_data
from optexp_jax.runner.signals import StopFlag, Stopped
from optexp_jax.training import devices
from optexp_jax.training.compile_cache import persistent_compile_cache
from optexp_jax.training.devices import mesh_of
from optexp_jax.training.pack import Pack, by_seed, group_into_packs
from optexp_jax.training.pack_mode import in_mode
from optexp_jax.training.pack_size import device_memory, split_to_fit

_OTHER_FILES = 256


@dataclasses.dataclass
class Outcome:
    """The outcome of a call, by experiment.

    Args:
        skipped: experiments that were already done or diverged.
        busy: experiments that another process runs.
        failed: experiments that ended with an error, or whose files are damaged.
        missing: experiments that did not start, since their data are not on this machine.
        stopped: number of the signal that stopped the call; None if none did.
        outdated: class whose code has changed -> number of its runs that keep results of the old
            code.
        reasons: (group, id) of a failed run -> why it failed.
    """

    skipped: list[Experiment] = dataclasses.field(default_factory=list)
    busy: list[Experiment] = dataclasses.field(default_factory=list)
    failed: list[Experiment] = dataclasses.field(default_factory=list)
    missing: list[Experiment] = dataclasses.field(default_factory=list)
    stopped: int | None = None
    outdated: dict[str, int] = dataclasses.field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)


def run_local(
    experiments: Sequence[Experiment],
    settings: Settings,
    options: RunOptions | None = None,
    display: Display | None = None,
    folders: RunFolders | None = None,
) -> Outcome:
    """Run unfinished experiments and store their rows; resume interrupted ones.

    Args:
        experiments: the experiments.
        settings: the workspace, and whether to log to wandb.
        options: how to run them; None for the defaults.
        display: receives the progress; None to show nothing.
        folders: the folders of the workspace, if the caller has them.

    Returns:
        the outcome: which experiments were skipped, failed or lack data.

    Raises:
        UnwritableError: the workspace cannot be written.
        OptexpError: no unfinished run has its data on this machine.
    """
    checked_files.require_writable(settings.workspace)
    folders = folders or RunFolders(settings.workspace)
    launcher = _Launcher(settings, options or RunOptions(), display or Silent(), folders)
    return launcher.launch(experiments)


class _Launcher:
    """A call of `run_local`, with what its packs share."""

    def __init__(
        self, settings: Settings, options: RunOptions, display: Display, folders: RunFolders
    ) -> None:
        self._settings = settings
        self._options = options
        self._display = display
        self._outcome = Outcome()
        self._stop = StopFlag()
        self._loaded: tuple[object, Data] | None = None
        self._folders = folders
        self._failures = Failures(display)

    def launch(self, experiments: Sequence[Experiment]) -> Outcome:
        """Lock the runs, skip those that are done, and run the rest pack by pack."""
        keep_freed_memory()
        allow_open_files(len(experiments) + _OTHER_FILES)  # a lock is an open file
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._stop)
            stack.enter_context(pinned())
            todo = self._lock(self._with_data(self._pending(unique(experiments))), stack)
            if not todo:
                return self._outcome
            mesh_of(self._options.devices)  # raises if runs cannot share these devices
            if self._options.force:
                for experiment in todo:
                    self._folders[experiment].clear()
            stack.enter_context(persistent_compile_cache(self._settings.workspace))
            reader = open_reader(self._settings, self._display.say)
            stack.callback(reader.close)
            self._display.begin(len(todo))
            for plan in self._plans(todo):
                if not self._stop:
                    self._run_safely(plan, reader)
            self._failures.sum_up()
        self._outcome.stopped = self._stop.signal
        return self._outcome

    def _pending(self, experiments: Sequence[Experiment]) -> list[Experiment]:
        """Return the unfinished experiments; damaged ones fail, with their reason."""
        pending = []
        for experiment in experiments:
            try:
                done = self._is_done(self._folders[experiment])
                if not self._options.force:
                    self._note_changes(self._folders[experiment])
                (self._outcome.skipped if done else pending).append(experiment)
            except OptexpError as error:
                self._tell_failure([experiment], str(error))
        for name, runs in self._outcome.outdated.items():
            self._display.say(changed_code(name, runs))
        return pending

    def _note_changes(self, folder: RunFolder) -> None:
        for name in folder.changed_classes():
            self._outcome.outdated[name] = self._outcome.outdated.get(name, 0) + 1

    def _lock(
        self, experiments: Sequence[Experiment], stack: contextlib.ExitStack
    ) -> list[Experiment]:
        """Lock the unfinished experiments, in the same order in every process."""
        mine = set()
        for experiment in sorted(experiments, key=lambda e: e.run_key):
            folder = self._folders[experiment]
            if not stack.enter_context(folder.lock()):
                self._outcome.busy.append(experiment)
                host = folder.read_status().get("host", "another host")
                self._display.say(
                    f"Another process on {host} is running {experiment.short_id}: skipped."
                )
            elif self._is_done(folder):  # another process finished it meanwhile
                self._outcome.skipped.append(experiment)
            else:
                mine.add(experiment.run_key)
        return [e for e in experiments if e.run_key in mine]

    def _with_data(self, pending: Sequence[Experiment]) -> list[Experiment]:
        """Return the experiments whose data are on this machine; say what the others lack.

        Raises:
            MissingDataError: all of them lack their data.
        """
        sentences = missing_data(pending, self._settings.workspace)
        if sentences and all(e in sentences for e in pending):
            raise MissingDataError(
                next(iter(sentences.values())),
                code="data-not-here",
                dataset=type(next(iter(sentences)).problem.dataset).__name__,
            )
        number = Counter(sentences[e] for e in pending if e in sentences)
        for sentence, runs in number.items():
            self._display.say(f"{sentence} Skipped {runs} run{'s' if runs > 1 else ''}.")
        self._outcome.missing = [e for e in pending if e in sentences]
        return [e for e in pending if e not in sentences]

    def _is_done(self, folder: RunFolder) -> bool:
        return not self._options.force and to_read(folder).is_finished()

    # -- packs ----------------------------------------------------------------------------------

    def _plans(self, todo: list[Experiment]) -> list[PackPlan]:
        """Group experiments into packs that share a group, a program and a checkpoint."""
        begun: dict[tuple[str, str], list[Experiment]] = {}
        fresh: dict[str, list[Experiment]] = {}
        for experiment in todo:
            checkpoint = self._folders[experiment].read_status().get("checkpoint")
            if checkpoint:
                begun.setdefault((experiment.group, checkpoint), []).append(experiment)
            else:
                fresh.setdefault(experiment.group, []).append(experiment)
        plans = [p for key, members in begun.items() for p in self._resumed(key[1], members)]
        plans += [p for members in fresh.values() for p in self._started(members)]
        order = {experiment.run_key: i for i, experiment in enumerate(todo)}
        return sorted(
            plans, key=lambda plan: min(order[f.experiment.run_key] for f in plan.folders.values())
        )

    def _started(self, members: list[Experiment]) -> list[PackPlan]:
        packs = group_into_packs(members)
        return [PackPlan(pack, self._folders_of(pack.experiments)) for pack in packs]

    def _resumed(self, checkpoint_id: str, members: list[Experiment]) -> list[PackPlan]:
        """Plan to resume from a checkpoint, in the mode of the runs that wrote it."""
        first = self._folders[members[0]]
        source = first.group / "packs" / checkpoint_id
        try:
            checkpoint = read_checkpoint(source)
        except OptexpError as error:
            self._fail(members, str(error))
            return []
        if checkpoint is None:
            return self._started(members)
        if checkpoint.damaged:
            self._display.say(say_damaged(checkpoint))
        fresh = [e for e in members if not self._is_in(e, checkpoint)]
        known = [e for e in members if e not in fresh and self._has_rows(e, checkpoint.step)]
        again = self._started(fresh) if fresh else []
        return again + (self._going_on(checkpoint, known, source) if known else [])

    def _is_in(self, experiment: Experiment, checkpoint: Checkpoint) -> bool:
        """Return whether a run is in a checkpoint and has kept all parameters before it."""
        kept = self._folders[experiment].has_kept_before(checkpoint.step)
        return experiment.id in checkpoint.members and kept

    def _has_rows(self, experiment: Experiment, step: int) -> bool:
        """Return whether a run has all rows before its checkpoint; without them, it fails."""
        try:
            self._folders[experiment].require_rows_before(step)
        except OptexpError as error:
            self._fail([experiment], str(error))
            return False
        return True

    def _going_on(
        self, checkpoint: Checkpoint, members: list[Experiment], source: Path
    ) -> list[PackPlan]:
        said = self._folders[members[0]].read_status()
        for sentence in differences(members[0], said, checkpoint.step):
            self._display.say(sentence)
        how = self._how_after(said, members[0])
        if said.get("pack_mode", "map") == "map":
            pack = Pack(tuple(members), "map", **how)
            return [PackPlan(pack, self._folders_of(members), checkpoint, source)]
        return self._resumed_side_by_side(checkpoint, members, source, how)

    def _how_after(self, said: Mapping[str, Any], first: Experiment) -> dict[str, Any]:
        """Return how runs train after a resume: as before, unless an option says otherwise."""
        shard = said.get("shard", "data") if self._options.shard == "data" else self._options.shard
        return {
            "micro_batch": said.get("micro_batch"),
            "devices": self._devices_after(said.get("devices", 1), first),
            "shard": shard,
            "remat": self._options.remat or said.get("remat", False),
        }

    def _devices_after(self, before: int, first: Experiment) -> int:
        """Return the devices per resumed run: as before, if possible and not set by an option."""
        asked = self._options.devices
        if asked == before or (asked == 1 and not len(devices.used()) % before):
            return before
        self._display.say(
            f"{first.short_id} and the runs of its pack trained on {before} devices each and "
            f"resume on {asked}: the same examples in the same order, but sums rounded differently."
        )
        return asked

    def _resumed_side_by_side(
        self,
        checkpoint: Checkpoint,
        members: list[Experiment],
        source: Path,
        how: Mapping[str, Any],
    ) -> list[PackPlan]:
        """Resume a `vmap` pack with all its members in order, or start it again."""
        known = {e.id: e for e in members}
        try:
            for member in set(checkpoint.members) - set(known):
                known[member] = _ended(source.parent.parent / member)
        except (OptexpError, FileNotFoundError):
            return self._started(members)
        pack = Pack(tuple(known[m] for m in checkpoint.members), "vmap", **how)
        return [PackPlan(pack, self._folders_of(members), checkpoint, source)]

    def _folders_of(self, experiments: Sequence[Experiment]) -> dict[str, RunFolder]:
        return {e.id: self._folders[e] for e in experiments}

    def _run_safely(self, plan: PackPlan, reader: Reader) -> None:
        """Run a pack; on an error its runs fail, and the other packs still run."""
        data, seconds = None, self._options.checkpoint_seconds
        try:
            data = self._load(plan.pack.experiments[0])
            for part in self._in_parts(plan, data):
                if not self._stop:
                    broadcast_plan(part)
                    pack_run = PackRun(part, data, reader, self._display, self._stop, seconds)
                    for experiment, reason in pack_run.train().items():
                        self._tell_failure([experiment], reason)
        except Stopped:  # while its data were prepared; the next call resumes that
            return
        except (UnwritableError, ReaderGoneError):
            raise  # other packs would fail, too
        except (Exception, SystemExit) as error:  # in the data, the model or the optimizer
            trace = None if isinstance(error, OptexpError) else traceback.format_exc()
            self._fail(self._unfinished(plan), _reason(error), trace)

    def _unfinished(self, plan: PackPlan) -> list[Experiment]:
        known = self._outcome.reasons
        return [
            f.experiment
            for f in plan.folders.values()
            if f.experiment.run_key not in known and not f.has_ended()
        ]

    def _in_parts(self, plan: PackPlan, data: Data) -> list[PackPlan]:
        """Split a plan into packs that fit the device; do not split a resumed one."""
        if plan.checkpoint:
            return [plan]
        options = self._options
        # Runs that stream images share their order, hence their seed.
        whole = dataclasses.replace(plan.pack, **options.of_packs)
        parts = [whole] if isinstance(data.train, Split) else by_seed(whole)
        parts = [p for part in parts for p in in_mode(part, data, options.pack_mode)]
        sizes = (options.pack, options.micro_batch, device_memory())
        packs = (pack for part in parts for pack in split_to_fit(part, data, *sizes))
        return [PackPlan(pack, self._folders_of(pack.experiments)) for pack in packs]

    def _fail(self, experiments: list[Experiment], reason: str, trace: str | None = None) -> None:
        for experiment in experiments:
            with contextlib.suppress(GoneError):
                self._folders[experiment].fail(reason, trace)
        more = " (error.txt in the folder of a run has the whole message.)" if trace else ""
        self._tell_failure(experiments, reason, more)

    def _tell_failure(self, experiments: list[Experiment], reason: str, more: str = "") -> None:
        self._outcome.failed += experiments
        self._outcome.reasons |= {experiment.run_key: reason for experiment in experiments}
        self._failures.tell(experiments, reason, more)
        self._display.finished(len(experiments))

    def _load(self, experiment: Experiment) -> Data:
        """Load the data of an experiment; keep the last data set for the next pack."""
        dataset = experiment.problem.with_data_seed(experiment.seed).dataset
        if self._loaded is None or self._loaded[0] != dataset:
            self._loaded = None  # free the memory of the old one first
            workspace = self._settings.workspace
            if isinstance(dataset, InFiles):
                prepare_once(dataset, workspace, self._stop.watching(self._display.preparing))
            self._loaded = (dataset, loaded(dataset, workspace))
        return self._loaded[1]


def _ended(folder: Path) -> Experiment:
    """Return the experiment of a run that has ended.

    Raises:
        OptexpError: the run has not ended, or its files are damaged.
        FileNotFoundError: its definition is missing.
    """
    if status.read(folder / "status.json", folder.name).get("status") not in FINISHED:
        raise OptexpError(
            f"The run in {folder} has not ended.", code="run-not-ended", folder=folder
        )
    return Experiment.from_json(checked_files.read_bytes(folder / "experiment.json").decode())


def _reason(error: BaseException) -> str:
    """Return why a pack failed; one-word messages with the name of their exception."""
    said = str(error).strip()
    return said if " " in said else repr(error)
