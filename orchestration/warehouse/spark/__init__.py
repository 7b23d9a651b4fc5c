"""Days computed on Apache Spark: `task` runs in executors, the other modules in the driver."""
