"""For context authors: checks, tests, coverage, suggestions, explanations and diffs."""
