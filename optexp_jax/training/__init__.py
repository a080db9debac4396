"""Training: pure step below, thin loop above. Yields records; knows nothing of files or plots."""
