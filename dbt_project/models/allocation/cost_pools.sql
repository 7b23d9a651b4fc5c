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
    hourly_rules as (
        select distinct rule_name
        from {{ ref("allocation_rules") }}
        where method = 'stream' and granularity = 'hourly'
    ),

    through as (select billed_through from {{ ref("billed_through") }}),

    -- What is not cost of goods sold is reported, not allocated: no rule applies to it. Nor does one to days
    -- that have not come, whose usage is not known.
    charges as (
        select
            * replace (
                case
                    when cost_of_goods_sold and usage_date <= (select billed_through from through)
                    then allocation_rule
                end as allocation_rule,
                case
                    when cost_of_goods_sold and usage_date <= (select billed_through from through)
                    then direct_customer_id
                end as direct_customer_id,
                -- In a CUR stands a product family, which may be spelled like a category of FOCUS and is
                -- none.
                case
                    when
                        x_line_item_type is null
                        and service_category in (select service_category from {{ ref("service_categories") }})
                    then service_category
                end as service_category
            ),
            coalesce(charge_period_end <= charge_period_start + interval 1 hour, false) as is_of_one_hour,
            greatest(charge_period_start, cast(usage_date as timestamp)) as day_start,
            least(charge_period_end, cast(usage_date + 1 as timestamp)) as day_end
        from {{ ref("charges_in_context") }}
    ),

    -- Only rules that divide by hourly usage look inside the day. A charge for longer than an hour (tax, a
    -- monthly fee) is divided by the usage of its day.
    placed as (
        select
            *,
            case
                when is_of_one_hour and allocation_rule in (select rule_name from hourly_rules)
                then date_trunc('hour', charge_period_start)
            end as usage_hour,
            {%- if var("hourly_costs_days") | int %}
                date_trunc(
                    'hour', case when is_of_one_hour then charge_period_start else day_start end
                ) as first_hour,
                case
                    when is_of_one_hour
                    then 1
                    else date_diff('hour', day_start, day_end - interval 1 microsecond) + 1
                end as hour_count
            {%- else %} cast(null as timestamp) as first_hour, 1 as hour_count
            {%- endif %}
        from charges
    ),

    grouped as (
        select
            {{ key }},
            first_hour,
            hour_count,
            count(*) as charge_count,
            min(service_category) as service_category,
            {{ sum_of_cost_columns() }}
        from placed
        group by all
    ),

    -- A charge for several hours costs the same in each, to the last digit.
    numbered as (select *, unnest(range(hour_count)) as hours_before from grouped),

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
        from numbered
        group by all
    )

select
    left(md5(cast(to_json([{{ columns_as_text(key) }}]) as varchar)), 16) as pool_id,
    {{ key }},
    cost_hour,
    charge_count,
    service_category,
    {%- for column in cost_columns() %}
        {{ pool_money(column) }} as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from by_hour
