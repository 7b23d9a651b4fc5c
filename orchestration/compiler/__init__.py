"""The context language: YAML text in, dbt files out, nothing else touched."""
