"""Blocks that several networks are built from; imported only where a network is, for they import torch."""
