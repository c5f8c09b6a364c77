"""Faults on purpose: `python -m bench.chaos`."""
