"""The list of customers, their names and segments."""
