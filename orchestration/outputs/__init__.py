"""Outputs of the published marts: HTML report, exports, alerts and warnings."""
