with
    by_dimension as (
        {%- for name in dimension_names() %}
            select
                usage_date,
                billing_currency,
                '{{ name }}' as dimension,
                case
                    when {{ name }}_rule is null
                    then 'unmatched'
                    when {{ name }}_rule = 0
                    then 'default'
                    else 'rule'
                end as coverage,
                service_name,
                sub_account_id,
                charge_count,
                effective_cost
            from {{ ref("charge_groups") }} {{ "union all" if not loop.last }}
        {%- endfor %}
    )

select
    usage_date,
    billing_currency,
    dimension,
    coverage,
    service_name,
    sub_account_id,
    cast(sum(charge_count) as bigint) as charge_count,
    sum(effective_cost) as effective_cost
from by_dimension
group by all
