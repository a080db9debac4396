"""`--scale small`: every group shrunk to minutes on two cores, with the same phenomenon.

`forms` declares what each family shrinks to, `pilot.json` the step sizes that `pilot` found for it,
`thinned` which runs are left. A small experiment has its own group, the paper's name plus `_small`.
"""

from experiments.small.thinned import planned, small

__all__ = ["planned", "small"]
