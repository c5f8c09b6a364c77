"""Extraction: the text of HTML and PDF, read by a process of its own with limits."""
