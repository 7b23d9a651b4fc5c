"""From a checked program to dbt files: SQL as sqlglot trees, and their YAML."""
