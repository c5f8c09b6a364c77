"""Banyan: recursive inference as a service. The shared vocabulary and the kernel."""
