"""Columns of the canonical charge; dimensions cannot use their names.

The only list on the Python side; `models/staging/charges` creates the columns.
"""

from __future__ import annotations

from orchestration.compiler.language.conditions import ColumnType

CHARGE_COLUMNS: dict[str, ColumnType] = {
    "charge_id": "text",
    "x_source_name": "text",
    "billing_period": "text",
    "provider_name": "text",
    "billing_account_id": "text",
    "sub_account_id": "text",
    "sub_account_name": "text",
    "charge_period_start": "timestamp",
    "charge_period_end": "timestamp",
    "usage_date": "date",
    "charge_category": "text",
    "charge_class": "text",
    "charge_description": "text",
    "service_name": "text",
    "service_category": "text",
    "region_id": "text",
    "availability_zone": "text",
    "resource_id": "text",
    "resource_name": "text",
    "resource_type": "text",
    "sku_id": "text",
    "consumed_quantity": "decimal",
    "consumed_unit": "text",
    "commitment_discount_id": "text",
    "commitment_discount_status": "text",
    "billing_currency": "text",
    "billed_cost": "decimal",
    "effective_cost": "decimal",
    "contracted_cost": "decimal",
    "list_cost": "decimal",
    "x_net_effective_cost": "decimal",
    "x_line_item_type": "text",
    "x_usage_type": "text",
    "x_operation": "text",
    "x_service_code": "text",
    "x_kubernetes_cluster": "text",
    "x_kubernetes_namespace": "text",
    "x_kubernetes_workload_type": "text",
    "x_kubernetes_workload": "text",
    "x_split_part": "text",
    "x_split_parent_id": "text",
    "x_landed_file": "text",
    "x_landed_row": "integer",
}
"""Column name to what it holds; the maps `tags`, `cost_categories` and `x_kubernetes_labels` have
subjects of their own."""

AMOUNT_COLUMNS = (
    "consumed_quantity",
    "billed_cost",
    "effective_cost",
    "contracted_cost",
    "list_cost",
    "x_net_effective_cost",
)
"""What a charge is divided in when it is split: its parts add up to it in each of these."""

CLASSIFIED_COLUMNS = (
    "charge_id",
    "x_source_name",
    "billing_period",
    "billing_currency",
    "provider_name",
    "billing_account_id",
    "sub_account_id",
    "usage_date",
    "charge_period_start",
    "charge_period_end",
    "charge_category",
    "charge_class",
    "service_name",
    "service_category",
    "x_line_item_type",
    "region_id",
    "resource_id",
    *AMOUNT_COLUMNS,
)
"""The columns that `charges_in_context` carries on, before those of the dimensions."""

_OTHER_COLUMNS = """
    tags cost_categories x_kubernetes_labels cost_of_goods_sold allocation_rule direct_customer_id
    customer_id customer_name segment plan aliases pool_id pool_period pool_cost method stream
    weight granularity window_used share customer_usage total_usage usage_hour usage_month
    usage_timestamp hour day month period unit units unit_cost value reason rule_name rule_position
    context_file context_line charge_count charges customers customer revenue margin cost currency
    hop difference built_at load_id batch_id record_id filter operation dimension element
    cost_hour share_set_id day_set_id allocation_kind unallocated_reason minimum_share filters
    usage_window usage_quantity carried_cost total_carried_cost pool_number key_number
    hours_before hour_count first_hour
"""
_RESERVED_SQL_WORDS = """
    all analyse analyze and any array as asc asymmetric between both by case cast check collate column
    columns constraint create cross current_date current_time current_timestamp default deferrable desc
    describe distinct do else end except exists false fetch filter following for foreign from full group
    grouping having ilike in initially inner intersect interval into is join lambda lateral leading left
    like limit map natural not null offset on only or order outer over partition pivot placing preceding
    primary qualify range references returning right row rows select semi anti set show similar some struct
    summarize symmetric table tablesample then time timestamp to trailing true union unique unpivot user
    using values variadic when where window with
"""

RESERVED_NAMES = frozenset([*CHARGE_COLUMNS, *_OTHER_COLUMNS.split(), *_RESERVED_SQL_WORDS.split()])
"""Names that a dimension cannot have: it becomes a column beside these, in SQL that does not quote it."""
