"""How annotations are checked while tests run: arrays strictly, numbers not."""

from numbers import Integral

import numpy as np
from beartype import BeartypeConf, beartype

try:
    from beartype import FrozenDict
except ImportError:  # before 0.21
    from beartype import BeartypeHintOverrides as FrozenDict

# Functions look at integers themselves; a float is any number, as for Python's type checkers.
_NUMBER = complex | float | Integral | np.number
_NUMBERS = FrozenDict({int: object, float: _NUMBER, complex: _NUMBER})

checked = beartype(conf=BeartypeConf(hint_overrides=_NUMBERS))
