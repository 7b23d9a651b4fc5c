"""One module per bill format."""
