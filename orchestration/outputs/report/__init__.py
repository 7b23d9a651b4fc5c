"""The report: one HTML file, made from the published marts alone, that opens without a network."""
