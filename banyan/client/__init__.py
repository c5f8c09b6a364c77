"""Client: the Python SDK and the `banyan` command line."""
