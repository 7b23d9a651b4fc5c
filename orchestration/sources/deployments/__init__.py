"""Deployments: what was put into production, and when."""
