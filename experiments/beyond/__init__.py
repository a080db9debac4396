"""What the paper did not run: questions that came after it, counted apart from its experiments."""
