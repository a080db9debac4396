"""A two-layer transformer on the Penn Treebank."""
