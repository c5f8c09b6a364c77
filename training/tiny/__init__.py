"""Tiny: a policy from scratch for experiments on a CPU, and how it acts, learns and is kept.

Everything but `vocabulary.py`, `nodes.py` and `lines.py` needs torch.
"""
