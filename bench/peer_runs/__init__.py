"""One root, N children and a merge by each peer, as its own documents have it: see bench/peers.py.

Every script runs in the peers' environment (`bench.peers_env`), where Banyan is not installed, and
prints a line of JSON for each run.
"""
