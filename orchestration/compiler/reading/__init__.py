"""From YAML text to a checked program, with a problem and its place for everything that is wrong."""
