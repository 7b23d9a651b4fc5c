"""From the outside world to landed Parquet: form changes here, meaning does not."""
