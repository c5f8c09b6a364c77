"""Hostile input: what tenants, documents and models send that is meant to do harm."""
