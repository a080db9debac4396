"""Real data on a machine without a network: not in the paper, ready at once."""
