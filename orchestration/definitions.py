"""The Dagster definitions of this deployment.

Dagster calls `defs` when it loads or reloads the code location. That compiles the contexts and parses the dbt
project when either has changed, so an edited YAML is in effect after "Reload".
"""

from __future__ import annotations

import dagster as dg

from orchestration.automation.deployment import load_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """The deployment that the environment and the workspace's settings describe."""
    return load_definitions()
