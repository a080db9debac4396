"""The small linear problem on normal inputs: what their mean does."""
