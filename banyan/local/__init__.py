"""Local: the embedded all-in-one that `banyan up` starts."""
