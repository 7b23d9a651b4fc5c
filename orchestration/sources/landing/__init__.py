"""Landed files: atomic Parquet files, processed files, versions, and notes."""
