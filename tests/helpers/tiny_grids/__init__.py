"""A package of experiments of the user's own, as small as can be: what tests send as a whole."""
