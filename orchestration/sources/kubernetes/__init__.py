"""Who used the nodes of Kubernetes clusters, as OpenCost measured it."""
