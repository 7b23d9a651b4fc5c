{#
  Customers' costs: every pool times the shares of its set, summed per `key` (columns of cost_pools, usage_date among
  them), customer and kind of allocation. Pools are added up before they are multiplied. `condition` is on cost_pools.
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

        -- Grouping by a number costs less than by the texts of the key.
        numbered as (select *, row_number() over () as pool_number from pools),

        keyed as (
            select *, min(pool_number) over (partition by {{ key | join(", ") }}) as key_number from numbered
        ),

        products as (
            select
                keyed.key_number,
                shares.customer_id,
                {{ kind_of_member("keyed") }} as allocation_kind,
                shares.unallocated_reason,
                {%- for column in amounts %}
                    sum(keyed.{{ column }} * shares.share) as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from keyed
            inner join {{ ref("shares") }} as shares using (usage_date, share_set_id)
            group by all
        )

    select
        numbered.{{ key | join(", numbered.") }},
        products.customer_id,
        products.allocation_kind,
        products.unallocated_reason,
        products.{{ amounts | join(", products.") }}
    from products
    inner join numbered on numbered.pool_number = products.key_number
{% endmacro %}

{# Kind of allocation of a member of a share set: whatever the set's, what nobody carries is `unallocated`. #}
{% macro kind_of_member(sets="sets") -%}
    case when shares.unallocated_reason is null then {{ sets }}.allocation_kind else 'unallocated' end
{%- endmacro %}

{# What a row of the customer costs is besides its customer: the columns of cost_pools that the marts show. #}
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
