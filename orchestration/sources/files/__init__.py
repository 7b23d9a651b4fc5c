"""Rows from user-provided files, in any encoding, delimiter and number format."""
