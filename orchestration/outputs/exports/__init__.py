"""The published marts as files by day, for tools that take in files."""
