"""The role of a parameter in its network, by its path: what optimizers treat differently."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax

from optexp_jax.optim.learning_rate import shown

ROLES = ("embedding", "norm", "qk", "vo", "mlp", "head", "other")
REST = "*"
Rules = tuple[tuple[str, str], ...]

# A component of a path, in lower case and without its number; the first that fits decides.
_PATTERNS = (
    ("norm", r"(.*_)?(layer|batch|rms|group)?norm(_.*)?|ln(_.*)?|bn(_.*)?"),
    ("head", r"(lm_)?head|logits|output_layer"),
    ("embedding", r"(.*_)?embed(ding|dings|_.*)?|wte|wpe"),
    ("qk", r"query|key|q_proj|k_proj|wq|wk"),
    ("vo", r"value|out|v_proj|o_proj|wv|wo"),
    ("mlp", r"mlp(_.*)?|feed_forward|dense|layer|linear|fc|up_proj|down_proj|gate_proj"),
)


def role_of(path: str, rules: Rules = ()) -> str:
    """The role of a leaf.

    Biases have the role of their layer. The last layer of an MLP without a `head` is `mlp`, and
    kernels of convolutions are `other`: a rule says otherwise.

    Args:
        path: its names with strokes between, such as `block_0/attention/query/kernel`.
        rules: pairs of a regular expression for a whole path and a role, tried first.

    Returns:
        one of `ROLES`, or what a rule says.

    >>> paths = ("embedding", "block_0/mlp_norm/scale", "block_1/attention/out/kernel")
    >>> [role_of(path) for path in paths]
    ['embedding', 'norm', 'vo']
    >>> role_of("decoder/projection/kernel", rules=(("decoder/.*", "head"),))
    'head'
    """
    for pattern, role in rules:
        if re.fullmatch(pattern, path):
            return role
    names = [re.sub(r"_[0-9]+$", "", name.lower()) for name in path.split("/")]
    for role, pattern in _PATTERNS:
        if any(re.fullmatch(pattern, name) for name in names):
            return role
    return "other"


def by_path(function: Callable[..., Any], params: Any, *others: Any) -> Any:
    """A function of the path and the leaf, of every leaf of parameters, nested or not.

    Args:
        function: of the path, the leaf, and what other trees hold there.
        params: its structure is that of the result.
        others: trees that have this structure, or more below it.
    """

    def of(path: Any, *leaves: Any) -> Any:
        return function(jax.tree_util.keystr(path, simple=True, separator="/"), *leaves)

    return jax.tree_util.tree_map_with_path(of, params, *others)


def heads_split(path: str, leaf: Any) -> int | None:
    """Which axes of a kernel of attention with heads are inputs: those before this one.

    Args:
        path: of the leaf, such as `block_0/attention/query/kernel`.
        leaf: its array.

    Returns:
        1 for `[inputs, heads, width]` of query, key and value, 2 for `[heads, width, outputs]` of
        the layer behind them, None for any other leaf.
    """
    layer = path.split("/")[-2:-1]
    if leaf.ndim != 3:
        return None
    return 1 if layer in (["query"], ["key"], ["value"]) else 2 if layer == ["out"] else None


def check_rules(spec: object, rules: Any) -> Rules:
    """Rules as pairs of texts, or a refusal in one sentence.

    Raises:
        ValueError: they are no pairs of a regular expression and a role.
    """
    try:
        found = tuple((pattern, role) for pattern, role in rules)
        for pattern, role in found:
            re.compile(pattern)
            if not isinstance(role, str) or not role:
                raise TypeError
    except (TypeError, ValueError, re.error) as error:
        raise ValueError(
            f"{type(spec).__name__}.rules are pairs of a regular expression and a role, such as "
            f'("decoder/.*", "mlp"), not {shown(rules)}.'
        ) from error
    return found


def check_roles(spec: object, field: str, roles: tuple[str, ...], rules: Rules) -> None:
    """Refuse roles that no leaf can have.

    Raises:
        ValueError: such as `Muon.takes names the roles qk, mlp, not heads.`
    """
    known = (*ROLES, *dict.fromkeys(role for _, role in rules if role not in ROLES))
    for role in roles:
        if role not in known:
            raise ValueError(
                f"{type(spec).__name__}.{field} names roles such as {', '.join(known)}, not "
                f"{shown(role)}."
            )
