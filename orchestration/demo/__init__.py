"""A believable sample company: its bill, its customers, and an S3 server to deliver them."""
