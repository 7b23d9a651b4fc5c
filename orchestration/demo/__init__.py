"""A realistic sample company: its bill, its customers, and an S3 server that serves them."""
