"""Benchmarks: each command measures Banyan against a limit or a peer in the same run."""
