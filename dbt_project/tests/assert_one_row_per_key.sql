{{ config(meta={"dagster": {"ref": {"name": "reconciliation"}}}) }}
-- Law: every model has one row per what it says, and what it requires is there (see the macro `broken_keys`).
-- It comes after the marts, and so after every model.
{%- for mart in [
    "context_rules",
    "context_version",
    "allocation_explanations",
    "average_customer_cost",
    "billed_months",
    "company_margins_monthly",
    "context_coverage",
    "cost_anomalies",
    "cost_anomaly_drivers",
    "cost_bridge",
    "cost_changes_monthly",
    "customer_costs_daily",
    "customer_costs_hourly",
    "customer_costs_monthly",
    "customer_margins_monthly",
    "customer_revenue_daily",
    "customer_totals_daily",
    "customers",
    "focus_customer_costs",
    "product_margins_monthly",
    "reconciliation",
    "revenue_quarantine",
    "segment_margins_monthly",
    "time_spine",
    "unit_costs_daily",
    "usage_daily",
    "warnings",
] -%}
    {%- do ref(mart) -%}
{%- endfor %}
select *
from (values ('', '', 0, '')) as problems(model, problem, row_count, example)
where false
{%- for name, problem, row_count, example in broken_keys() %}
    union all
    select
        {{ dbt.string_literal(name) }},
        {{ dbt.string_literal(problem) }},
        {{ row_count }},
        {{ dbt.string_literal(dbt.escape_single_quotes(example)) }}
{%- endfor %}
