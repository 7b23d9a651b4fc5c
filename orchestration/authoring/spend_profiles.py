"""The bill through the current contexts, grouped by everything a rule could refer to.

One scan of the charges creates the temporary table `profiles`, with one row per kind of resource; coverage
and suggestions query it.
"""

from __future__ import annotations

from orchestration.authoring.live_charges import LiveCharges
from orchestration.compiler import Compilation
from orchestration.compiler.emitting.classification import classification

_CHARGE_COLUMNS = (
    "usage_date",
    "x_spread_from",
    "billing_currency",
    "service_name",
    "sub_account_id",
    "sub_account_name",
    "x_usage_type",
    "x_kubernetes_namespace",
    "resource_id",
    "tags",
    "cost_categories",
    "charge_share",
    "effective_cost",
)
# `nw-search-` in `arn:aws:s3:::nw-search-archive`: two words starting with a letter, so not a generated id.
_NAME = "regexp_extract(resource_id, '[^:/]+$')"
_NAME_PREFIX = rf"nullif(regexp_extract({_NAME}, '^[A-Za-z]\w*?-[A-Za-z]\w*?-'), '')"


def make_profiles(charges: LiveCharges, compilation: Compilation) -> tuple[str, ...]:
    """Create the temporary table `profiles`, and return the names of the dimensions.

    Its columns: usage_month, billing_currency, service_name, sub_account_id, sub_account_name, x_usage_type,
    x_kubernetes_namespace, _name_prefix (start of the resource's name), tags, cost_categories, per dimension
    `<name>` and `<name>_rule` (0: the default, NULL: none), charge_count, effective_cost.
    """
    plan = compilation.plan
    if plan is None or compilation.problems:
        raise ValueError("contexts with problems classify nothing")
    sql = charges.sql(classification(plan, compilation.program.allocation, _CHARGE_COLUMNS), compilation)
    charges.warehouse.execute(
        f"""
        create or replace temp table profiles as
        select
            * exclude (usage_date, x_spread_from, resource_id, charge_share, effective_cost),
            date_trunc('month', usage_date)::date as usage_month,
            {_NAME_PREFIX} as _name_prefix,
            -- A charge in parts, or spread over days, is one charge.
            coalesce(
                sum(charge_share) filter (usage_date = coalesce(x_spread_from, usage_date)), 0
            ) as charge_count,
            sum(effective_cost)::decimal(38, 12) as effective_cost
        from ({sql})
        group by all
        """
    )
    return tuple(sorted(dimension.name for dimension in compilation.program.dimensions))
