"""Adapters: the ports on real parts, and their twins in memory."""
