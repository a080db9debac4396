"""Arrays with shapes, for annotations: jaxtyping's where it is installed, plain arrays elsewhere.

`Float[Array, "*batch classes"]` is a float array whose last axis is called classes. The tests
check such annotations at run time (`conftest.py`); nothing else needs jaxtyping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

if TYPE_CHECKING:
    from jax import Array
    from jaxtyping import Bool, Float, Integer, Shaped
else:
    Array = jax.Array | np.ndarray
    try:
        from jaxtyping import Bool, Float, Integer, Shaped
    except ImportError:

        class _Plain:
            """Stands in for jaxtyping: `Float[Array, "n"]` is the array."""

            def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
                return item[0]

        Bool = Float = Integer = Shaped = _Plain

__all__ = ["Array", "Bool", "Float", "Integer", "Shaped"]
