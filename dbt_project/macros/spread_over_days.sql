{#
  One row per charge and usage day: a charge that crosses midnight (UTC) is divided among its days by the time it
  covers on each. Cumulative amounts are truncated to twelve digits and each day gets the increase, so the parts sum
  to the charge in every cost column and its quantity. `charges` has `last_usage_date`, null for charges within one
  day (nearly all), which are passed through. `x_spread_from` is the first day of the others.
#}
{% macro spread_over_days(charges) -%}
    select * exclude (last_usage_date), null::date as x_spread_from
    from {{ charges }}
    where last_usage_date is null
    union all by name
    select
        * exclude (
            last_usage_date,
            day,
            first_second,
            last_second,
            total_seconds,
            seconds_before,
            seconds_after
        ) replace (
            charge_id || strftime(day, '/%Y-%m-%d') as charge_id,
            day as usage_date,
            greatest(charge_period_start, day) as charge_period_start,
            least(charge_period_end, day + interval 1 day) as charge_period_end,
            {%- for column in cost_columns() + ["consumed_quantity"] %}
                {{ part_of_amount(column, "seconds_before", "seconds_after", "total_seconds") }}
                as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        )
    from
        (
            select
                *,
                last_second - first_second as total_seconds,
                greatest(cast(epoch(day) as hugeint) - first_second, 0) as seconds_before,
                least(
                    cast(epoch(day + interval 1 day) as hugeint) - first_second, total_seconds
                ) as seconds_after
            from
                (
                    select
                        *,
                        usage_date as x_spread_from,
                        cast(floor(epoch(charge_period_start)) as hugeint) as first_second,
                        cast(floor(epoch(charge_period_end)) as hugeint) as last_second,
                        cast(
                            unnest(generate_series(usage_date, last_usage_date, interval 1 day)) as date
                        ) as day
                    from {{ charges }}
                    where last_usage_date is not null
                )
        )
{%- endmacro %}
