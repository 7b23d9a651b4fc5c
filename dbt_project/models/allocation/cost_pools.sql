{%- set key %}
    usage_date,
    usage_hour,
    x_source_name,
    billing_period,
    billing_currency,
    provider_name,
    billing_account_id,
    {{ dimension_columns() }},
    service_name,
    charge_category,
    charge_class,
    cost_of_goods_sold,
    allocation_rule,
    direct_customer_id
{%- endset %}
with
    groups as (
        select
            * replace (
                case when is_allocated then allocation_rule end as allocation_rule,
                case when is_allocated then direct_customer_id end as direct_customer_id
            )
        from {{ ref("charge_groups") }}
    ),

    pools as (
        select
            {{ key }},
            first_hour,
            hour_count,
            sum(charge_count) as charge_count,
            min(service_category) as service_category,
            {{ sum_of_cost_columns() }}
        from groups
        group by all
    ),

    -- A charge over several hours is spread evenly over them, exactly.
    pools_by_hour as (select *, unnest(range(hour_count)) as hours_before from pools),

    by_hour as (
        select
            {{ key }},
            first_hour + to_hours(hours_before) as cost_hour,
            cast(
                coalesce(sum(case when hours_before = 0 then charge_count end), 0) as bigint
            ) as charge_count,
            min(service_category) as service_category,
            {%- for column in cost_columns() %}
                sum(
                    case
                        when hour_count = 1
                        then {{ column }}
                        else {{ part_of_amount(column, "hours_before", "hours_before + 1", "hour_count") }}
                    end
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from pools_by_hour
        group by all
    )

select
    left(md5(cast(to_json([{{ columns_as_text(key) }}]) as varchar)), 16) as pool_id,
    {{ key }},
    cost_hour,
    charge_count,
    service_category,
    {%- for column in cost_columns() %}
        case
            when abs({{ column }}) < 1000000000000
            then cast({{ column }} as decimal(24, 12))
            else
                error(
                    'The {{ column }} of '
                    || coalesce(service_name, 'a service')
                    || ' on '
                    || usage_date
                    || ' is '
                    || {{ column }}
                    || ' '
                    || coalesce(billing_currency, '')
                    || ', and a pool of cost holds less than 10^12. Deliver this bill in a larger unit of money, or '
                    || 'divide it over more services, accounts or days.'
                )
        end as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from by_hour
