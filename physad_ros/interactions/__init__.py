"""One file an interaction: its recipe and its plan."""
