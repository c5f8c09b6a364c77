"""Environments: tasks that are made by seed and difficulty, and checked exactly.

`environment.py` says what one is; `catalogue.py` lists them. None needs torch.
"""
