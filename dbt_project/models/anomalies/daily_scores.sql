-- A residual is measured against the series' own past residuals; as lists, see daily_levels.
with
    series as (
        select
            series_key,
            list(usage_date order by usage_date) as days,
            list(abs(residual) order by usage_date) as residuals,
            list(abs(drift) order by usage_date) as drifts
        from {{ ref("daily_expectations", days_before=84) }}
        group by series_key
    ),

    placed as (select *, unnest(days) as usage_date, generate_subscripts(days, 1) as place from series),

    -- Without missing days, the 56 days before are the 56 elements before.
    parts as (
        select
            series_key,
            usage_date,
            {%- for values, days_before, name in [
                ("residuals", 56, "two_months"),
                ("drifts", 84, "three_months"),
            ] %}
                {%- set first = "greatest(place - " ~ days_before ~ ", 1)" %}
                case
                    when days[{{ first }}] >= usage_date - {{ days_before }}
                    then {{ values }} [{{ first }}:place - 1]
                    else
                        list_filter(
                            {{ values }} [:place - 1],
                            lambda value,
                            position:days[position] >= usage_date - {{ days_before }}
                        )
                end as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        from placed
        where usage_date in getvariable('batch_days')
    ),

    usual as (
        select
            expectations.*,
            case
                when list_count(parts.two_months) >= 14
                then list_aggregate(parts.two_months, 'quantile_cont', [0.5, 0.9])
            end as residual_sizes,
            case
                when list_count(parts.three_months) >= 21 then list_median(parts.three_months)
            end as drift_size
        from {{ ref("daily_expectations") }} as expectations
        inner join parts using (series_key, usage_date)
    ),

    scores as (
        select
            unnest(
                [
                    {'test':'daily', 'score':residual / {{ residual_scale("residual_sizes") }}},
                    -- The medians of seven days and of a month vary by half of a day's noise; smaller
                    -- changes are ignored.
                    {
                        'test':'drift',
                        'score': case
                            when drift_size is not null
                            then
                                drift
                                / greatest(1.4826 * drift_size, 0.55 * {{ residual_scale("residual_sizes") }})
                        end
                    }
                ],
                recursive := true
            ),
            series_key,
            usage_date,
            cast(usage_date as timestamp) as started_at,
            cast(previous_date as timestamp) as previous_at,
            level
        from usual
    )

select *
from scores
where score is not null
