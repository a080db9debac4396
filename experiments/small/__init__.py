"""Smaller forms of experiments: `--scale small`, and for some groups `--scale medium`.

In the small form every group takes minutes on two cores and shows the same phenomenon; the medium
form, an evening in all, is for figures that need more (`medium`).

What a family shrinks to is declared beside it, in its `small_forms`; `form` finds that.
`pilot.json` has the learning rates that `tools/pilot.py` found, `subsample` says which runs are
left. A small experiment has its own group, the paper's name plus `_small`.
"""

from experiments.small.medium import planned_medium
from experiments.small.subsample import planned, small

__all__ = ["planned", "planned_medium", "small"]
