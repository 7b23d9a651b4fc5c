"""Usage records: who used which feature, how much, and when."""
