-- Only previous days count, so a day's level does not change when more days arrive. Missing days are
-- unknown, not 0, and left out; except of a cost that vanished. A series' days and costs are lists, from
-- which the days of the batch take theirs: windows would compute the days before them as well.
with
    given as (
        select series_key, usage_date, cast(effective_cost as double) as cost
        from {{ ref("anomaly_series_daily", days_before=56 + 8 + 41) }}
    ),

    -- A series with cost on each day of six weeks, and then on none of two days, has vanished: from the
    -- second day on, for a week, it costs 0.
    vanished as (
        select series_key, days[place] as last_date, days[place + 1] as next_date
        from
            (
                select
                    series_key,
                    days,
                    unnest(
                        list_filter(
                            range(42, len(days) + 1),
                            lambda place:days[place - 41] = days[place] - 41
                            and coalesce(days[place + 1] > days[place] + 2, true)
                        )
                    ) as place
                from
                    (
                        select series_key, list(usage_date order by usage_date) as days
                        from given
                        group by series_key
                    )
            )
    ),

    costs as (
        select *
        from given
        union all
        select vanished.series_key, days.usage_date, 0 as cost
        from vanished
        inner join
            (select distinct usage_date from given) as days
            on days.usage_date between vanished.last_date + 2 and vanished.last_date + 8
            and days.usage_date < coalesce(vanished.next_date, days.usage_date + 1)
    ),

    series as (
        select
            series_key, list(usage_date order by usage_date) as days, list(cost order by usage_date) as costs
        from costs
        group by series_key
    ),

    placed as (
        select series_key, days, costs, unnest(days) as usage_date, generate_subscripts(days, 1) as place
        from series
    ),

    parts as (
        select
            series_key,
            usage_date,
            days[place - 1] as previous_date,
            costs[place] as cost,
            costs[greatest(place - 7, 1):place - 1] as last_seven,
            days[greatest(place - 7, 1)] as first_of_seven,
            costs[greatest(place - 14, 1):place - 1] as last_fourteen,
            costs[greatest(place - 6, 1):place] as week_until_now,
            days[greatest(place - 6, 1)] as first_of_week,
            costs[greatest(place - 13, 1):place] as fortnight_until_now,
            list_filter(
                costs, lambda cost, position:days[position] between usage_date - 56 and usage_date - 28
            ) as month_before
        from placed
        where usage_date in getvariable('batch_days')
    )

select
    series_key,
    usage_date,
    previous_date,
    cost,
    -- Current level: the median of the last seven days or, if days are missing and a weekday could occur
    -- twice, of the last fourteen.
    case
        when len(last_fourteen) < 4 or first_of_seven < usage_date - 28
        then null
        when first_of_seven < usage_date - 7
        then list_median(last_fourteen)
        else list_median(last_seven)
    end as level,
    case
        when first_of_week < usage_date - 6
        then list_median(fortnight_until_now)
        else list_median(week_until_now)
    end as recent_level,
    -- The level a month earlier, for changes too slow for the level to show.
    case when len(month_before) >= 14 then list_median(month_before) end as older_level
from parts
