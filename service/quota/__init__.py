"""Quotas: what a tenant may have under way and spend, asked before a solve is admitted."""
