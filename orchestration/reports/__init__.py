"""What people read that is not a table: read-only questions to the databases of a workspace."""
