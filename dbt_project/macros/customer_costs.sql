{#
  Customer costs: every pool × the shares of its set, summed by `key` (columns of cost_pools, including usage_date),
  customer and allocation kind. Pools are summed before multiplying. `condition` filters cost_pools.
#}
{% macro customer_costs(key, amounts=cost_columns(), condition="true") %}
    with
        pools as (
            select
                cost_pools.{{ key | join(", cost_pools.") }},
                sets.share_set_id,
                sets.allocation_kind,
                {%- for column in amounts %}
                    sum(cost_pools.{{ column }}) as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from {{ ref("cost_pools") }} as cost_pools
            inner join {{ ref("pool_share_sets") }} as sets using (usage_date, pool_id)
            where {{ condition }}
            group by all
        ),

        -- Grouping by a number is cheaper than by the key's texts.
        numbered_pools as (select *, row_number() over () as pool_number from pools),

        keyed as (
            select *, min(pool_number) over (partition by {{ key | join(", ") }}) as key_number
            from numbered_pools
        ),

        products as (
            select
                keyed.key_number,
                shares.customer_id,
                case
                    when shares.unallocated_reason is null then keyed.allocation_kind else 'unallocated'
                end as allocation_kind,
                shares.unallocated_reason,
                {%- for column in amounts %}
                    sum(keyed.{{ column }} * shares.share) as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from keyed
            inner join {{ ref("shares") }} as shares using (usage_date, share_set_id)
            group by all
        )

    select
        numbered_pools.{{ key | join(", numbered_pools.") }},
        products.customer_id,
        products.allocation_kind,
        products.unallocated_reason,
        products.{{ amounts | join(", products.") }}
    from products
    inner join numbered_pools on numbered_pools.pool_number = products.key_number
{% endmacro %}

{# Key columns of customer costs besides the customer: the columns of cost_pools that marts show. #}
{% macro customer_cost_key() -%}
    {{
        return(
            ["usage_date", "billing_period"]
            + dimension_names()
            + [
                "service_name",
                "provider_name",
                "charge_category",
                "billing_currency",
                "x_source_name",
                "billing_account_id",
                "charge_class",
            ]
        )
    }}
{%- endmacro %}

{# Query: one category per service and day: the one of the FOCUS bill, else the first listed for its name. #}
{% macro service_categories_by_day() %}
    select
        pools.usage_date,
        pools.service_name,
        coalesce(
            min(pools.service_category), min_by(listed.service_category, listed.position)
        ) as service_category
    from
        (
            select usage_date, service_name, min(service_category) as service_category
            from {{ ref("cost_pools") }}
            group by all
        ) as pools
    left join
        {{ ref("service_categories") }} as listed
        on regexp_matches(lower(pools.service_name), '(^|[^a-z]|amazon|aws)(' || listed.service_names || ')')
    group by pools.usage_date, pools.service_name
{% endmacro %}
