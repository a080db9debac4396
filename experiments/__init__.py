"""What the paper ran: declarations only, one short module per group of experiments."""
