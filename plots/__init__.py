"""Draw the figures of the paper and check its claims, from runs in the workspace."""

from optexp_jax.extras import require

require("run")

from optexp_jax.cli.early_help import answer_help
from optexp_jax.runner.signals import keep_for_main
from plots.options import parser_of

answer_help(__name__, __path__[0], make_parser=parser_of)
keep_for_main()

import optexp_jax.plotting  # noqa: F401  # imports Matplotlib, whatever MPLBACKEND says
