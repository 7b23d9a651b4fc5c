"""Landed files: Parquet written whole or not at all, what was read before, versions of things, and notes."""
