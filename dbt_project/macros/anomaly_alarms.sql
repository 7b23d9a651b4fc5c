{#
  Which scores are alarms, without a configured threshold:

  How rare a score is follows from the scores of all series in the previous `tail_days`: their upper 16% and 4% (drifts:
  50% and 16%) say how fast the tail falls (-ln p grows as a power of the score, the Weibull tail), so a company of noisy
  series needs larger scores. Quantiles rather than moments, so past anomalies do not count.

  How many rare scores a day has by chance follows from the number of scores. Among a day's alarms, the
  Benjamini-Hochberg procedure allows a false discovery rate of `anomaly_false_discovery_rate`; on a day without
  incidents, that is the probability of any alarm. Series are weighted by the square root of their level: the same
  number of false alarms overall, and fewer misses where there is money.

  `scores`: test, series_key, usage_date, started_at, previous_at, level, score. The result includes weak alarms, which
  mark where an anomaly starts and ends.
#}
{% macro alarms(scores, tail_days) %}
    with
        score_counts as (
            select
                test,
                usage_date,
                least(cast(floor(abs(score) * 20) as integer), 400) as bin,
                count(*) as score_count
            from {{ scores }}
            group by all
        ),

        tested_days as (select distinct test, usage_date from score_counts),

        days_before as (
            select
                tested_days.test,
                tested_days.usage_date,
                score_counts.bin,
                cast(sum(score_counts.score_count) as bigint) as score_count
            from tested_days
            inner join
                score_counts
                on score_counts.test = tested_days.test
                and score_counts.usage_date
                between tested_days.usage_date - {{ tail_days }} and tested_days.usage_date - 1
            group by all
        ),

        cumulated as (
            select
                *,
                sum(score_count) over (partition by test, usage_date order by bin desc) as count_above,
                sum(score_count) over (partition by test, usage_date) as total_count
            from days_before
        ),

        -- Levels change together and for weeks, so many series drift at once: their tail is fitted nearer
        -- the median.
        tails as (
            select
                test,
                usage_date,
                case when test = 'drift' then 0.5 else 0.16 end as inner_share,
                case when test = 'drift' then 0.16 else 0.04 end as outer_share,
                greatest(
                    coalesce(
                        min(bin) filter (
                            count_above <= case when test = 'drift' then 0.5 else 0.16 end * total_count
                        ),
                        400
                    )
                    / 20.0,
                    0.4
                ) as inner_size,
                greatest(
                    coalesce(
                        min(bin) filter (
                            count_above <= case when test = 'drift' then 0.16 else 0.04 end * total_count
                        ),
                        400
                    )
                    / 20.0,
                    1.0
                ) as outer_size
            from cumulated
            group by all
            having max(total_count) >= 200
        ),

        shapes as (
            select
                *,
                -- Between 0.5, a very heavy tail, and 2, that of normal noise.
                least(
                    greatest(
                        ln(ln(outer_share) / ln(inner_share)) / greatest(ln(outer_size / inner_size), 0.01),
                        0.5
                    ),
                    2.0
                ) as tail_power
            from tails
        ),

        -- Integers, so that sums do not depend on row order.
        weights as (
            select *, cast(100000 * sqrt(abs(coalesce(level, 0))) as bigint) + 1000 as weight
            from {{ scores }}
        ),

        counted as (
            select test, usage_date, count(*) as test_count, sum(weight) as total_weight
            from weights
            group by all
        ),

        weak as (
            select
                weights.*,
                counted.test_count,
                ln(shapes.outer_share) * pow(abs(weights.score) / shapes.outer_size, shapes.tail_power)
                - ln(weights.weight * counted.test_count / counted.total_weight) as log_p
            from weights
            inner join shapes using (test, usage_date)
            inner join counted using (test, usage_date)
            where abs(weights.score) >= shapes.outer_size
        ),

        ranked as (
            select
                *,
                log_p <= ln(
                    {{ var("anomaly_false_discovery_rate") }}
                    * row_number() over (partition by test, usage_date order by log_p, series_key, started_at)
                    / test_count
                ) as is_within
            from weak
        ),

        limits as (
            select test, usage_date, max(log_p) filter (is_within) as largest_log_p from ranked group by all
        )

    select
        ranked.test,
        ranked.series_key,
        ranked.usage_date,
        ranked.started_at,
        ranked.previous_at,
        ranked.score,
        coalesce(ranked.log_p <= limits.largest_log_p, false) as is_alarm
    from ranked
    inner join limits using (test, usage_date)
{% endmacro %}
