"""AWS services to query, and how their answers become resources: one service per file."""

from __future__ import annotations

from orchestration.sources.inventory.services.classic_load_balancers import CLASSIC_LOAD_BALANCERS
from orchestration.sources.inventory.services.eks_clusters import EKS_CLUSTERS
from orchestration.sources.inventory.services.instances import INSTANCES
from orchestration.sources.inventory.services.lambda_functions import LAMBDA_FUNCTIONS
from orchestration.sources.inventory.services.load_balancers import LOAD_BALANCERS
from orchestration.sources.inventory.services.nat_gateways import NAT_GATEWAYS
from orchestration.sources.inventory.services.network_interfaces import NETWORK_INTERFACES
from orchestration.sources.inventory.services.rds_clusters import RDS_CLUSTERS
from orchestration.sources.inventory.services.rds_instances import RDS_INSTANCES
from orchestration.sources.inventory.services.service import Service
from orchestration.sources.inventory.services.tagged_resources import TAGGED_RESOURCES
from orchestration.sources.inventory.services.volumes import VOLUMES

SERVICES: tuple[Service, ...] = (
    INSTANCES,
    VOLUMES,
    NETWORK_INTERFACES,
    NAT_GATEWAYS,
    LOAD_BALANCERS,
    CLASSIC_LOAD_BALANCERS,
    RDS_INSTANCES,
    RDS_CLUSTERS,
    LAMBDA_FUNCTIONS,
    EKS_CLUSTERS,
)
"""Services that are asked for all of their resources, tagged or not."""

__all__ = ["SERVICES", "TAGGED_RESOURCES", "Service"]
