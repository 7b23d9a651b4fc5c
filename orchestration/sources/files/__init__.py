"""Files as people send them, to rows: any encoding, separator and number format."""
