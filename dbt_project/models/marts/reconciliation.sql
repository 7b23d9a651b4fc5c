{%- set hops = [
    ("landing", ref("landed_costs")),
    ("staging", none),
    ("days", ref("staged_costs")),
    ("context", ref("charge_groups")),
    ("pools", ref("cost_pools")),
    ("marts", "marts"),
] %}
with
    -- Up to staging, cost is compared on a charge's first day; after that, on the days the charge covers,
    -- some of which may be built in another batch or run.
    begun as (
        select
            coalesce(x_spread_from, usage_date) as usage_date,
            x_source_name,
            billing_period,
            billing_currency,
            {{ cost_columns() | join(", ") }}
        from {{ builtins.ref("staged_costs") }}
        where
            usage_date >= list_min(getvariable('batch_days'))
            and coalesce(x_spread_from, usage_date) in getvariable('batch_days')
    ),

    marts as (
        select * exclude (billing_month), strftime(billing_month, '%Y-%m') as billing_period
        from {{ ref("customer_costs_daily") }}
    ),

    hop_sums as (
        {%- for hop, relation in hops %}
            select
                {{ loop.index }} as hop_number,
                '{{ hop }}' as hop,
                usage_date,
                x_source_name,
                billing_period,
                billing_currency,
                {%- for column in cost_columns() %}
                    cast(sum({{ column }}) as decimal(38, 24)) as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from {{ relation or "begun" }}
            group by all
            union all
        {%- endfor %}
        -- Sums of the files themselves: the billed amount, and every FOCUS column.
        select
            0,
            'files',
            usage_date,
            x_source_name,
            billing_period,
            billing_currency,
            source_billed_cost,
            source_effective_cost,
            source_contracted_cost,
            source_list_cost,
            source_effective_cost
        from {{ ref("landed_costs") }}
    ),

    -- A hop without a row for a day has lost the day: it counts as 0 and shows as a difference.
    keys as (select distinct usage_date, x_source_name, billing_period, billing_currency from hop_sums),

    every_hop as (
        select keys.*, hops.hop_number, hops.hop
        from keys
        cross join (select distinct hop_number, hop from hop_sums) as hops
    ),

    filled as (
        select
            every_hop.*,
            {%- for column in cost_columns() %}
                {% if column == "billed_cost" -%} coalesce(hop_sums.{{ column }}, 0)
                {%- else -%}
                    case
                        when every_hop.hop_number = 0
                        then hop_sums.{{ column }}
                        else coalesce(hop_sums.{{ column }}, 0)
                    end
                {%- endif %} as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from every_hop
        left join
            hop_sums
            on hop_sums.hop_number = every_hop.hop_number
            and hop_sums.usage_date = every_hop.usage_date
            and hop_sums.x_source_name is not distinct from every_hop.x_source_name
            and hop_sums.billing_period is not distinct from every_hop.billing_period
            and hop_sums.billing_currency is not distinct from every_hop.billing_currency
    ),

    by_column as (
        {%- for column in cost_columns() %}
            select
                usage_date,
                x_source_name,
                billing_period,
                billing_currency,
                hop_number,
                hop,
                '{{ column }}' as cost_column,
                {{ column }} as hop_cost
            from filled
            where {{ column }} is not null
            union all
        {%- endfor %}
        -- AWS money columns, the inputs of the cost formulas.
        select
            usage_date,
            x_source_name,
            billing_period,
            billing_currency,
            unnest([0, 1]) as hop_number,
            unnest(['files', 'landing']) as hop,
            amount_column as cost_column,
            cast(unnest([source_amount, landed_amount]) as decimal(38, 24)) as hop_cost
        from {{ ref("landed_amounts") }}
        where amount_column not in ('{{ cost_columns() | join("', '") }}')
    )

select
    cast(billing_period || '-01' as date) as billing_month,
    usage_date,
    x_source_name,
    billing_currency,
    cost_column,
    hop_number,
    hop,
    cast(hop_cost as decimal(38, 24)) as hop_cost,
    cast(case when hop <> 'days' then lag(hop_cost) over hops end as decimal(38, 24)) as previous_hop_cost,
    cast(
        case when hop <> 'days' then coalesce(hop_cost - lag(hop_cost) over hops, 0) else 0 end as decimal(
            38, 24
        )
    ) as difference
from by_column
window
    hops as (
        partition by billing_period, usage_date, x_source_name, billing_currency, cost_column
        order by hop_number
    )
