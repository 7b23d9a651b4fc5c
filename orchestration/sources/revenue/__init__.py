"""What customers pay: revenue by customer and period."""
