"""GPT2-Small on WikiText-103: the search of learning rates, and the runs of figure 1."""
