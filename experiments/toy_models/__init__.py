"""Softmax regression on random inputs with heavy-tailed labels, and the weighted quadratic."""
