"""Data sets: frozen values with `load(workspace)`.

`python -m optexp_jax.datasets list` shows them. Export a new one in the `__init__.py` of its
subpackage, and it is exported here, too.
"""

from optexp_jax.extras import require

require("run", "PIL")

from optexp_jax.datasets import imagenet, images, synthetic, text
from optexp_jax.datasets.arrays import ArrayDataset
from optexp_jax.datasets.classes import counts_of
from optexp_jax.datasets.data import Data, Dataset, Facts, InFiles, Report, Split, Streamed
from optexp_jax.datasets.imagenet import *
from optexp_jax.datasets.images import *
from optexp_jax.datasets.synthetic import *
from optexp_jax.datasets.text import *

__all__ = ["ArrayDataset", "Data", "Dataset", "Facts", "InFiles", "Report", "Split", "Streamed"]
__all__ += ["counts_of"]
__all__ += imagenet.__all__
__all__ += images.__all__
__all__ += synthetic.__all__
__all__ += text.__all__
