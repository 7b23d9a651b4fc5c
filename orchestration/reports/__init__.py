"""What people read that is not a table: made from published marts only."""
