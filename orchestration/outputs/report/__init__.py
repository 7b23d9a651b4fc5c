"""The report: one HTML file built from the published marts that opens offline."""
