"""Write results as HTML pages: one file for each group, which opens without a network."""

from optexp_jax.extras import require

require("run", "matplotlib")

from optexp_jax.pages.definitions import commands_of
from optexp_jax.pages.page import Group, index_of, page_of, read_group

__all__ = ["Group", "commands_of", "index_of", "page_of", "read_group"]
