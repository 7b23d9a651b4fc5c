{{ config(meta={"dagster": {"ref": {"name": "reconciliation"}}}) }}
-- Law: a day's pools and costs sum to what was reconciled when the day was built. In a full check, this
-- finds damaged files of old days.
with
    sums as (
        select 'pools' as hop, usage_date, billing_currency, {{ sum_of_cost_columns() }}
        from {{ ref("cost_pools") }}
        group by all
        union all by name
        select 'marts' as hop, usage_date, billing_currency, {{ sum_of_cost_columns() }}
        from {{ ref("customer_costs_daily") }}
        group by all
    ),

    found as (
        select
            hop,
            usage_date,
            billing_currency,
            unnest(
                [
                    {%- for column in cost_columns() %}
                        {'cost_column':'{{ column }}', 'found_cost':{{ column }}}{{ "," if not loop.last }}
                    {%- endfor %}
                ],
                recursive := true
            )
        from sums
    ),

    reconciled as (
        select hop, usage_date, billing_currency, cost_column, sum(hop_cost) as reconciled_cost
        from {{ ref("reconciliation") }}
        where hop in ('pools', 'marts')
        group by all
    )

select hop, usage_date, billing_currency, cost_column, found.found_cost, reconciled.reconciled_cost
from found
full join reconciled using (hop, usage_date, billing_currency, cost_column)
where coalesce(found.found_cost, 0) <> coalesce(reconciled.reconciled_cost, 0)
