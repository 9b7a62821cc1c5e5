"""One file a kind of interaction: which physical quantities are measured in its pictures."""
