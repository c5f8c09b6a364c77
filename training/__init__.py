"""Training: the trees that the service logs train the policy. Filled by a later release."""
