"""What contexts can say: a program of dimensions, rules and allocations, without YAML or SQL."""
