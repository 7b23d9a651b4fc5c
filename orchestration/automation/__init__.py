"""Dagster: the job, its partitions, schedule, sensors and checks, and running it from the shell."""
