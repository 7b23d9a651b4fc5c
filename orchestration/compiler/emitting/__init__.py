"""From a checked program to dbt files: SQL as sqlglot trees, and the YAML beside it."""
