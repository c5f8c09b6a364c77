"""Online: the closed loop. The service's own trees train its policy, which is published to it.

`loop.py` is the loop; each of its phases has a file: `rollouts.py`, `updating.py`, `evaluating.py`,
`publishing.py`. `state.py` is what survives a kill. Nothing here needs torch: an update is a
process of its own.
"""
