"""Protocols, measurements and campaigns."""
