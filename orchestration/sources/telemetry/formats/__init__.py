"""File formats of telemetry batches, each read as text for the record rules."""
