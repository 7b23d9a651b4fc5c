"""What contexts can express: a program of dimensions, rules and allocations, without YAML or SQL."""
