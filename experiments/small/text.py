"""What small forms of text have in common.

Few words read many times, so that rare ones can be learned by heart at all: most classes of an
excerpt have one to five examples. In one pass over much text every optimizer learns frequencies.
"""

from __future__ import annotations

from typing import Any

from optexp_jax.datasets import ShakespeareExcerpt
from optexp_jax.models import Transformer

SHARE = 0.01  # of the text that is read


def sizes_for(dataset: ShakespeareExcerpt) -> dict[str, Any]:
    """Fields of a small transformer for an excerpt."""
    classes = {"vocabulary": dataset.vocabulary, "num_classes": dataset.num_classes}
    return {**classes, "num_heads": 2, "width": 64}


def smaller(model: Transformer, dataset: ShakespeareExcerpt) -> Transformer:
    """A transformer for an excerpt; one without MLPs stays without."""
    sizes = sizes_for(dataset)
    return model.clone(**sizes, width_mlp=model.width_mlp and sizes["width"])
