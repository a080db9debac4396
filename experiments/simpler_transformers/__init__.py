"""A one-layer transformer on TinyPTB in full batches, and its last layer alone."""
