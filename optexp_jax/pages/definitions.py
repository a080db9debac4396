"""What the runs of a page are, in words, and how each of its lines is made again."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from optexp_jax.errors import OptexpError
from optexp_jax.experiment import Experiment
from optexp_jax.identity import encode
from optexp_jax.optim import Optimizer, has_rate
from optexp_jax.results.load import Results
from optexp_jax.results.selection import best_rates, best_runs, worst_seed

_OURS = "optexp_jax"


def in_words(value: Any) -> str:
    """A value of ours by its name and fields, without what is None.

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
    """What is learned, a list of names and texts for each problem and length."""
    found: dict[tuple[str, str], list[Results]] = {}
    for r in results:
        key = (json.dumps(encode(r.experiment.problem), sort_keys=True), _length(r.experiment))
        found.setdefault(key, []).append(r)
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
    results: Sequence[Results], methods: Mapping[Optimizer, Any], module: str | None
) -> list[dict[str, Any]]:
    """How each line is made again: the run that is drawn, in Python, and as a command.

    Args:
        results: of one problem.
        methods: in the order of the page.
        module: of experiments that declares them, as `python -m` takes it; None if nobody knows.

    Raises:
        OptexpError: there is no such module.
    """
    chosen, rates = best_runs(results), best_rates(results)
    known = commands(module) if module else {}
    return [
        {
            "method": i,
            "rate": str(rates[method]) if has_rate(method) else "",
            "seeds": sorted(r.experiment.seed for r in chosen[method]),
            "code": code_of(worst_seed(chosen[method]).experiment),
            "command": known.get(worst_seed(chosen[method]).experiment.run_key),
        }
        for i, method in enumerate(methods)
        if method in chosen
    ]


def code_of(experiment: Experiment) -> str:
    """Python that runs an experiment, from its definition alone."""
    text = experiment.to_json().strip()
    literal = repr(text) if "'''" in text or "\\" in text else f"'''\n{text}\n'''"
    return (
        f"from optexp_jax import Experiment, run\n{_imports(experiment)}\n"
        f"experiment = Experiment.from_json({literal})\n"
        "(results,) = run([experiment])\n"
        "print(results.table.tail())\n"
    )


def _imports(experiment: Experiment) -> str:
    """Imports of the modules that register classes that are not of this library."""
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


def commands(module: str) -> dict[tuple[str, str], str]:
    """The run of every command `--single N` of a module -> the command.

    Raises:
        OptexpError: it cannot be imported, or declares no experiments.
    """
    try:
        declared = importlib.import_module(module)
        experiments = declared.experiments
    except (ImportError, AttributeError) as error:
        raise OptexpError(
            f"The module {module} declares no experiments ({error}): name one as `python -m` takes "
            "it, from the folder where it is.",
            code="module-declares-nothing",
            module=module,
            why=error,
        ) from error
    lists = {"": experiments}
    if small := getattr(declared, "small", None):
        lists[" --scale small"] = small(experiments)
    return {
        e.run_key: f"python -m {module} --single {i}{scale}"
        for scale, members in lists.items()
        for i, e in enumerate(members)
    }
