"""Sending experiments away: what a scheduler does, and those that are known."""
