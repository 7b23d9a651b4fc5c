with
    numbered as (
        select
            * exclude (first_hour, hour_count, charge_count, {{ cost_columns() | join(", ") }}),
            cast(sum(charge_count) as bigint) as charge_count,
            {{ sum_of_cost_columns() }}
        from {{ ref("cost_pool_periods") }}
        group by all
    ),

    -- How much each hour weighs in the pool's shares, for a pool's shares to add up to 1: by cost, or alike
    -- if it cost nothing. Past a hundred trillion by whole units of the currency, for the shares to fit.
    weighed as (
        select
            *,
            case
                when sum(abs(effective_cost)) over pool >= 1e14
                then cast(trunc(abs(effective_cost)) as hugeint)
                when sum(abs(effective_cost)) over pool > 0
                then {{ money_units("abs(effective_cost)") }}
                when sum(abs(billed_cost)) over pool >= 1e14
                then cast(trunc(abs(billed_cost)) as hugeint)
                when sum(abs(billed_cost)) over pool > 0
                then {{ money_units("abs(billed_cost)") }}
                else 1
            end as weight_units
        from numbered
        window pool as (partition by pool_id)
    ),

    shared as (
        select
            *,
            {{
                whole_quotient(
                    "1000000000000 * weight_units",
                    "sum(weight_units) over (partition by pool_id)",
                )
            }} as share_units
        from weighed
    )

select
    * exclude (weight_units, share_units),
    -- The largest hour takes what the division leaves over.
    {{
        money(
            "share_units + case when row_number() over (partition by pool_id order by weight_units desc, usage_hour) = 1"
            ~ " then 1000000000000 - sum(share_units) over (partition by pool_id) else 0 end"
        )
    }}
    as share
from shared
