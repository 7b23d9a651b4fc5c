"""File formats of telemetry batches: how the rows of each become text for the rules of a record."""
