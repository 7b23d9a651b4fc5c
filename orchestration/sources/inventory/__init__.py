"""What runs in the cloud accounts: resources, their tags, and how they hang together."""
