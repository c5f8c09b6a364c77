"""Experiments: one claim each, measured by one command; see `registry.py`."""
