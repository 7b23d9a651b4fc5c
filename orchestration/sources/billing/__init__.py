"""Bills: which files are the bill now, and how each form of them becomes landed charges."""
