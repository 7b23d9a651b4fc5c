"""Export the published marts as files by day, or to databases."""
