"""Names of the places that results come from."""

LOCAL, PAPER = "local", "paper"  # your own runs, and those that the authors released
SOURCES = (LOCAL, PAPER)
