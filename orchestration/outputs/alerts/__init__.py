"""Alerts: every new anomaly of the published marts told once to each receiver that the settings name."""
