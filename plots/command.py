"""The command line of figures: which ones, at which scale, drawn side by side."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import NoReturn

from rich.markup import escape

from optexp_jax.cli.console import make_console
from optexp_jax.cli.guard import guarded
from optexp_jax.config import Settings
from optexp_jax.errors import OptexpError
from optexp_jax.host import cores
from optexp_jax.plotting.page import KINDS, save
from optexp_jax.runner.bars import RichDisplay
from optexp_jax.runner.local import run_local
from plots.figure import PaperFigure, figure_name
from plots.options import parser_of_figures
from plots.runs import Runs

_MOST_WORKERS = 4  # each holds the data of its figure, gigabytes at paper scale
# (figure, files, sentence on what is missing)
Drawn = tuple[str, list[Path], str]


def main(
    module: str, figures: Sequence[PaperFigure], argv: Sequence[str] | None = None
) -> NoReturn:
    """`python -m plots.<module>`: draw figures of the paper; ends the process."""
    raise SystemExit(guarded(lambda: draw_figures(module, figures, argv)))


def draw_figures(
    module: str, figures: Sequence[PaperFigure], argv: Sequence[str] | None = None
) -> int:
    """Draw the chosen figures; 1 if one of them lacks its runs.

    Raises:
        OptexpError: an unknown figure, scale or format, or files that cannot be written.
    """
    args = parser_of_figures(module).parse_args(argv)
    settings, console = Settings.from_env(), make_console()
    runs = Runs(settings.workspace, args.scale, args.source)
    wanted = split_numbers(args.figure)
    there = [figure for figure in figures if wanted or figure.needed(runs) or not figure.modules]
    chosen = _chosen(there, wanted, module)
    kinds = _kinds(args.format)
    if args.run_missing:
        if args.source == "paper":
            raise OptexpError(
                "--run-missing runs your own experiments: leave out --run-missing or --source "
                "paper.",
                code="run-missing-with-paper",
            )
        modules = dict.fromkeys(m for figure in chosen for m in figure.modules)
        with RichDisplay(console) as display:
            outcome = run_local(runs.experiments(*modules), settings, display=display)
        if outcome.stopped:
            return 128 + outcome.stopped
    name = "released" if args.source == "paper" else args.scale
    about = "beyond" if module == "beyond_figures" else "paper"
    folder = settings.workspace / "plots" / f"{about}_{name}"
    missing = 0
    for number, paths, sentence in _all(module, chosen, runs, folder, kinds):
        missing += bool(sentence)
        title = next(f.title for f in chosen if f.number == number)
        name = figure_name(number)
        text = sentence or " ".join(map(str, paths))
        console.print(escape(f"{name}, {title}: {text}"), soft_wrap=True, highlight=False)
    return 1 if missing else 0


def split_numbers(given: Sequence[str] | None) -> list[str]:
    """Return the numbers of figures in options that may be repeated and hold several.

    >>> split_numbers(["4,22", "6"])
    ['4', '22', '6']
    """
    return [number.strip() for text in given or () for number in text.split(",")]


def _chosen(
    figures: Sequence[PaperFigure], wanted: Sequence[str], module: str
) -> list[PaperFigure]:
    by_number = {figure.number: figure for figure in figures}
    numbers = wanted or list(by_number)
    unknown = [number for number in numbers if number not in by_number]
    if unknown:
        others = module in ("paper_figures", "appendix_figures")
        raise OptexpError(
            f"plots.{module} has no figure '{unknown[0]}': choose from {numbers_of(figures)}"
            f"{', or use plots.make_all_plots' if others else ''}.",
            code="unknown-figure",
            figure=unknown[0],
        )
    return [by_number[number] for number in numbers]


def numbers_of(figures: Sequence[PaperFigure]) -> str:
    """Say which figures these are, in a few words."""
    numbered = [f.number for f in figures if f.number.isdigit()]
    others = [f.number for f in figures if not f.number.isdigit()]
    return ", ".join([*([f"{numbered[0]} to {numbered[-1]}"] if numbered else []), *others])


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    unknown = [kind for kind in kinds if kind not in (*KINDS, "svg")]
    if unknown:
        raise OptexpError(
            f"The format '{unknown[0]}' is not supported: choose pdf, png or svg.",
            code="unknown-format",
            format=unknown[0],
        )
    return kinds


def _all(
    module: str, figures: Sequence[PaperFigure], runs: Runs, folder: Path, kinds: Sequence[str]
) -> Iterator[Drawn]:
    """Every figure as it is drawn, in their order; side by side where there are several."""
    jobs = [(module, figure.number, runs, folder, kinds) for figure in figures]
    if len(jobs) == 1:
        yield _draw(jobs[0])
        return
    # A fresh interpreter each, as JAX does not bear forks.
    workers = min(len(jobs), cores(), _MOST_WORKERS)
    context = get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, context) as pool:
            with _undisturbed():
                drawn = [pool.submit(_draw, job) for job in jobs]
            yield from _in_order(drawn)
    except BrokenProcessPool as error:
        raise OptexpError(
            "A process that draws figures was killed, perhaps for lack of memory: draw fewer "
            "figures at once with --figure N.",
            code="drawing-ended",
        ) from error


def _in_order(drawn: Sequence[Future[Drawn]]) -> Iterator[Drawn]:
    """Yield the drawn figures; stop all drawing after an error."""
    try:
        for future in drawn:
            yield future.result()
    except BaseException:
        for child in active_children():
            child.terminate()
        raise


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Start processes in the block: what stops this one comes after it, and Ctrl-C not to them."""
    came: list[int] = []
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    for number in (signal.SIGTERM, signal.SIGUSR1):
        before[number] = signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for number in came:
            os.kill(os.getpid(), number)


def _draw(job: tuple[str, str, Runs, Path, Sequence[str]]) -> Drawn:
    module, number, runs, folder, kinds = job
    figures = importlib.import_module(f"plots.{module}").FIGURES
    figure = next(f for f in figures if f.number == number)
    try:
        drawn = figure.draw(runs)
    except OptexpError as error:
        return number, [], f"not drawn: {error}"
    return number, save(drawn, folder, figure.file, kinds), ""
