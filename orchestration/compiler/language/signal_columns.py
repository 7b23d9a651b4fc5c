"""Fields beyond the charge that contexts can refer to: Kubernetes labels, accounts and resources.

Maps each field's name in YAML to its column; the models in `models/signals` create the columns.
"""

from __future__ import annotations

KUBERNETES_FIELDS = {
    "cluster": "x_kubernetes_cluster",
    "namespace": "x_kubernetes_namespace",
    "workload_type": "x_kubernetes_workload_type",
    "workload": "x_kubernetes_workload",
}
"""Columns of the charge."""
KUBERNETES_MAPS = {"label": "x_kubernetes_labels"}

BILLED_ACCOUNT_FIELDS = {"id": "sub_account_id", "name": "sub_account_name"}
"""Columns of the charge."""
ACCOUNT_FIELDS = {"organizational_unit_path": "organizational_unit_path"}
"""Columns of the model `accounts`."""
ACCOUNT_NAME = "account_name"
"""The name in `accounts`, looked at where the bill has none."""
ACCOUNT_MAPS = {"tag": "tags"}

RESOURCE_FIELDS = {
    "id": "resource_id",
    "arn": "resource_arn",
    "type": "resource_type",
    "name": "resource_name",
    "account": "account_id",
    "region": "region_id",
}
"""Columns of the model `resources`."""
RESOURCE_MAPS = {"tag": "tags", "attribute": "attributes"}

SIGNAL_TABLES: dict[str, dict[str, str]] = {
    "resources": {
        **dict.fromkeys(RESOURCE_FIELDS.values(), "varchar"),
        **dict.fromkeys(RESOURCE_MAPS.values(), "map(varchar, varchar)"),
        "valid_from": "timestamp",
        "valid_to": "timestamp",
    },
    "resource_relationships": {
        **dict.fromkeys(("resource_id", "relationship", "related_resource_id"), "varchar"),
        "valid_from": "timestamp",
        "valid_to": "timestamp",
    },
    "accounts": {
        **dict.fromkeys(("account_id", ACCOUNT_NAME), "varchar"),
        **dict.fromkeys(ACCOUNT_FIELDS.values(), "varchar"),
        **dict.fromkeys(ACCOUNT_MAPS.values(), "map(varchar, varchar)"),
        "valid_from": "timestamp",
        "valid_to": "timestamp",
    },
}
"""The columns of the models of signals that the compiled query reads, with their types in DuckDB."""
