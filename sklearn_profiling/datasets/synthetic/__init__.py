"""Synthetic users of which the best possible accuracy is known."""
