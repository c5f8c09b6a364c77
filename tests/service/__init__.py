"""Tests of the service: over its application in memory, and once over a real server."""
