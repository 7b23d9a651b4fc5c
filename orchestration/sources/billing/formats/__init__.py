"""One module for each form that a bill comes in."""
