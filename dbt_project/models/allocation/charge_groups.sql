with
    hourly_rules as (
        select distinct rule_name
        from {{ ref("allocation_rules") }}
        where method = 'stream' and granularity = 'hourly'
    ),

    through as (select billed_through from {{ ref("billed_through") }}),

    -- No rule applies to cost outside cost of goods sold, which is reported but not allocated, nor to
    -- future days, whose usage is unknown.
    charges as (
        select
            * replace (
                -- A CUR has product families here, which can be spelled like a FOCUS category without being
                -- one.
                case
                    when
                        x_line_item_type is null
                        and service_category in (select service_category from {{ ref("service_categories") }})
                    then service_category
                end as service_category
            ),
            cost_of_goods_sold and usage_date <= (select billed_through from through) as is_allocated,
            coalesce(charge_period_end <= charge_period_start + interval 1 hour, false) as is_of_one_hour,
            greatest(charge_period_start, cast(usage_date as timestamp)) as day_start,
            least(charge_period_end, cast(usage_date + 1 as timestamp)) as day_end
        from {{ ref("charges_in_context") }}
    ),

    -- Only rules that divide by hourly usage use the hour. Charges longer than an hour (tax, a monthly fee)
    -- are divided by the day's usage.
    placed as (
        select
            *,
            case
                when
                    is_allocated
                    and is_of_one_hour
                    and allocation_rule in (select rule_name from hourly_rules)
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
    )

select
    usage_date,
    usage_hour,
    first_hour,
    hour_count,
    x_source_name,
    billing_period,
    billing_currency,
    provider_name,
    billing_account_id,
    sub_account_id,
    {{ dimension_columns() }},
    {%- for name in dimension_names() %} {{ name }}_rule, {% endfor %}
    service_name,
    charge_category,
    charge_class,
    cost_of_goods_sold,
    is_allocated,
    allocation_rule,
    direct_customer_id,
    count(*) as charge_count,
    sum(charge_share) as charge_share,
    min(service_category) as service_category,
    {{ sum_of_cost_columns() }}
from placed
group by all
