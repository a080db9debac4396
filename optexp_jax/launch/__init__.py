"""Launching: which runs, where, in what order; the command line."""
