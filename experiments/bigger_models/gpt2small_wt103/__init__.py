"""GPT2-Small on WikiText-103: the search of step sizes, and the runs of figure 1."""
