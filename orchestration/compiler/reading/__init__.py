"""From YAML text to a checked program, reporting every problem with its place."""
