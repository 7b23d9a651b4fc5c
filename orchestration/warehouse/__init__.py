"""dbt's seat in Dagster: the project that runs, its assets, and the snapshot that readers get."""
