{%- set families = [("aws_cur", "line_item_currency_code"), ("focus", "billing_currency")] %}
with
    -- Deliveries landed by versions without file sums have nothing to compare.
    days as (select * from {{ source("landing", "billing_days") }} where source_amounts is not null),

    {%- for family, currency in families %}
        {{ family }}_sums as (
            select
                source_name as x_source_name,
                billing_period,
                {{ currency }} as billing_currency,
                usage_date,
                {%- for column in var("amount_columns")[family] %}
                    sum({{ column }}) as {{ column }}{{ "," if not loop.last }}
                {%- endfor %}
            from {{ source("landing", family ~ "_charges") }}
            where (source_name, delivery) in (select (source_name, delivery) from days)
            group by all
        ),
    {%- endfor %}

    landed as (
        {%- for family, _ in families %}
            select
                x_source_name,
                billing_period,
                billing_currency,
                usage_date,
                unnest(
                    [
                        {%- for column in var("amount_columns")[family] %}
                            {
                                'amount_column':'{{ column }}', 'landed_amount':{{ column }}
                            }{{ "," if not loop.last }}
                        {%- endfor %}
                    ],
                    recursive := true
                )
            from {{ family }}_sums {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    delivered_entries as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            unnest(map_entries(source_amounts)) as entry
        from days
    ),

    delivered as (
        select
            x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            entry.key as amount_column,
            sum(entry.value) as source_amount
        from delivered_entries
        group by all
    )

-- Full join: an amount on only one side is a difference. Zero on both sides is omitted.
select
    * replace (
        cast(coalesce(source_amount, 0) as decimal(38, 12)) as source_amount,
        cast(coalesce(landed_amount, 0) as decimal(38, 12)) as landed_amount
    )
from delivered
full join landed using (x_source_name, billing_period, billing_currency, usage_date, amount_column)
where coalesce(delivered.source_amount, 0) <> 0 or coalesce(landed.landed_amount, 0) <> 0
