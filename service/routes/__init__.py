"""Routes: one file for each thing a path names."""
