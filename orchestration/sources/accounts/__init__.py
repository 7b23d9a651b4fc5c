"""The accounts of the organization: names, places in it, tags."""
