"""Parameters in PyTorch's names and layouts as the trees of our modules."""

import re

import numpy as np

LAYER = "transformer_encoder.layers."


def as_flax(arrays, heads=None):
    """Arrays by PyTorch's name as a flat dict from our path to array.

    Args:
        arrays: weights or gradients, by name.
        heads: number of heads where there is attention.
    """
    renamed = {}
    for name, array in arrays.items():
        renamed |= _entries(name, np.asarray(array, np.float64), heads)
    return renamed


def _entries(name, array, heads):
    if name == "embedding.weight":
        return {"embedding": array}
    module, kind = name.rsplit(".", 1)
    if "in_proj" in kind:
        return _projections(_path(module), kind.removeprefix("in_proj_"), array, heads)
    path = _path(module)
    if "norm" in path:
        return {f"{path}/{'scale' if kind == 'weight' else 'bias'}": array}
    if kind == "bias":
        return {f"{path}/bias": array}
    if array.ndim == 4:  # [out, in, height, width]
        return {f"{path}/kernel": array.transpose(2, 3, 1, 0)}
    kernel = array.T
    if path.endswith("attention/out"):
        kernel = kernel.reshape(heads, -1, kernel.shape[1])
    if name == "fc1.weight":  # of features flattened as [channels, height, width]
        size = round((kernel.shape[0] // 100) ** 0.5)
        kernel = kernel.reshape(100, size, size, -1).transpose(1, 2, 0, 3)
        kernel = kernel.reshape(size * size * 100, -1)
    return {f"{path}/kernel": kernel}


def _projections(path, kind, stacked, heads):
    entries = {}
    for name, array in zip(("query", "key", "value"), np.split(stacked, 3), strict=True):
        if kind == "weight":
            entries[f"{path}/{name}/kernel"] = array.T.reshape(array.shape[1], heads, -1)
        else:
            entries[f"{path}/{name}/bias"] = array.reshape(heads, -1)
    return entries


_NAMES = {
    "self_attn.out_proj": "attention/out",
    "self_attn": "attention",
    "linear1": "mlp_in",
    "linear2": "mlp_out",
    "norm1": "attention_norm",
    "norm2": "mlp_norm",
}


def _path(module):
    """The path of a module of ours, by PyTorch's name of it."""
    if module.startswith(LAYER):
        number, part = module.removeprefix(LAYER).split(".", 1)
        return f"block_{number}/{_NAMES[part]}"
    if module == "transformer_encoder.norm":
        return "norm"
    if module in ("classifier_head", "fc1"):
        return "head"
    if match := re.fullmatch(r"conv(\d+)", module):
        return f"conv_{int(match[1]) - 1}"
    if module == "model.input_layer":
        return "layer_0"
    return module.replace("model.hidden_layer", "layer")
