"""Training: the trees that the service logs train the policy."""
