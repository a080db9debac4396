"""Running experiments here: one pack after the other, resumed where they were."""
