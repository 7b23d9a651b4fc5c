"""What is made of the published marts: the HTML report, exports, alerts, and lines of warnings."""
