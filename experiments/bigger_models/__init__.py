"""GPT-2 on WikiText-103."""
