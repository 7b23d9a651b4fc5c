"""Alerts: send every new anomaly once to each configured receiver."""
