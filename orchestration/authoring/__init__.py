"""For people who write contexts: checks, tests, coverage, suggestions, explanations, effects of an edit."""
