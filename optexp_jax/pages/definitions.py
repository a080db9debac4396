"""Describe the runs of a page, and how to reproduce each line."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.forms import SmallForm, option_of
from optexp_jax.identity import encode
from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.results.load import Results
from optexp_jax.results.selection import worst_seed

_OURS = "optexp_jax"

Commands = Mapping[tuple[str, str], str]  # of runs, by group and id


def in_words(value: Any) -> str:
    """Write a value of ours as its name and fields, without fields that are None.

    >>> from optexp_jax.models import Linear
    >>> in_words(Linear(7, 3))
    'Linear(num_inputs=7, num_classes=3, use_bias=True, init_values=TorchUniform())'
    """
    return _words(encode(value))


def _words(encoded: Any) -> str:
    if isinstance(encoded, dict) and "type" in encoded:
        fields = {name: v for name, v in encoded.items() if name != "type" and v is not None}
        if list(fields) == ["value"]:
            return str(fields["value"])
        inside = ", ".join(f"{name}={_words(v)}" for name, v in fields.items())
        return f"{encoded['type']}({inside})"
    if isinstance(encoded, list):
        return f"({', '.join(map(_words, encoded))})"
    return str(encoded)


def definitions(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Describe each problem and length, as a list of names and texts."""
    found: dict[tuple[Any, str], list[Results]] = {}
    for r in results:
        found.setdefault((r.experiment.problem, _length(r.experiment)), []).append(r)
    return [{"runs": len(of), "facts": _facts(of)} for of in found.values()]


def _facts(results: Sequence[Results]) -> list[tuple[str, str]]:
    first = results[0].experiment
    problem = first.problem
    seeds = sorted({r.experiment.seed for r in results})
    facts = [
        ("Data", in_words(problem.dataset)),
        ("Model", in_words(problem.model)),
        ("Loss", in_words(problem.loss)),
        ("Batches", in_words(problem.batching)),
        ("Length", _length(first)),
        ("Seeds", ", ".join(map(str, seeds))),
    ]
    if problem.l2:
        facts.append(("Penalty", f"{problem.l2:g} times the squared norm of the parameters"))
    if problem.precision != "float32":
        facts.append(("Precision", problem.precision))
    return facts


def _length(experiment: Experiment) -> str:
    if experiment.steps:
        return f"{experiment.steps:,} steps, a row every {experiment.eval_every}"
    return f"{experiment.epochs:,} epochs, a row every {experiment.eval_every}"


def reproductions(
    methods: Mapping[Optimizer, Any], chosen: Mapping[Optimizer, list[Results]], known: Commands
) -> list[dict[str, Any]]:
    """Say how to repeat the run of each line, in Python and as a command.

    Args:
        methods: in the order of the page.
        chosen: the runs of each method at its best learning rate.
        known: the commands of runs, see `commands_of`.
    """
    found = []
    for i, method in enumerate(methods):
        if method in chosen:
            drawn = worst_seed(chosen[method]).experiment
            line = {
                "method": i,
                "rate": str(drawn.optimizer.learning_rate) if has_rate(method) else "",
                "seeds": sorted(r.experiment.seed for r in chosen[method]),
                "code": code_of(drawn),
                "command": known.get(drawn.run_key),
            }
            found.append(line)
    return found


def code_of(experiment: Experiment) -> str:
    """Write Python code that runs an experiment, from its definition alone."""
    text = experiment.to_json().strip()
    literal = repr(text) if "'''" in text or "\\" in text else f"'''\n{text}\n'''"
    return (
        f"from optexp_jax import Experiment, run\n{_imports(experiment)}\n"
        f"experiment = Experiment.from_json({literal})\n"
        "(results,) = run([experiment])\n"
        "print(results.table.tail())\n"
    )


def _imports(experiment: Experiment) -> str:
    """List imports of the modules that register classes from outside this library."""
    problem = experiment.problem
    parts = (experiment.optimizer, problem.dataset, problem.model, problem.loss, problem.batching)
    modules = dict.fromkeys(type(part).__module__ for part in parts)
    foreign = [m for m in modules if m.split(".")[0] != _OURS]
    return "".join(
        f"import {name}  # which registers a class that is used\n"
        if name != "__main__"
        else "# First import the module that registers the classes of your own.\n"
        for name in foreign
    )


def commands_of(modules: Sequence[str]) -> Commands:
    """Map runs to the commands `--single N` of modules, at every scale.

    Args:
        modules: of experiments, as `python -m` takes them.

    Raises:
        OptexpError: one cannot be imported, or declares no experiments.
    """
    return {run: command for module in modules for run, command in _commands(module)}


def _commands(module: str) -> Iterator[tuple[tuple[str, str], str]]:
    try:
        declared = importlib.import_module(module)
        lists = {"": declared.experiments}
    except (ImportError, AttributeError) as error:
        raise OptexpError(
            f"The module {module} declares no experiments ({error}): give its name as for `python "
            "-m`, and call the command in the folder that holds it.",
            code="module-declares-nothing",
            module=module,
            why=error,
        ) from error
    if small := getattr(declared, "small", None):
        lists[option_of("small")] = small(lists[""])
        if isinstance(small, SmallForm):
            lists[option_of("medium")] = small.at("medium", lists[""])
    for scale, members in lists.items():
        for i, experiment in enumerate(members):
            yield experiment.run_key, f"python -m {module} --single {i}{scale}"
