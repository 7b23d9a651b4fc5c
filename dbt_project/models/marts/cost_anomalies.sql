{#- Verdicts of the contexts' anomalies.yml: a variable, as no cost depends on them. #}
{%- set verdicts = ["(null::varchar, null::varchar, null::varchar)"] -%}
{%- for texts in var("anomaly_feedback", []) -%}
    {%- set quoted = [] -%}
    {%- for text in texts -%} {%- do quoted.append("'" ~ text | replace("'", "''") ~ "'") -%} {%- endfor -%}
    {%- do verdicts.append("(" ~ quoted | join(", ") ~ ")") -%}
{%- endfor -%}
with
    costs as (select * from {{ ref("anomaly_costs") }}),

    -- One cause can show in several series; an anomaly refers to the one that shows most of it. Here: the
    -- same series, found by hour rather than by day, or as a jump rather than a drift.
    same_series as (
        select
            later.anomaly_id,
            first(
                earlier.anomaly_id
                order by
                    case earlier.test when 'hourly' then 1 else 2 end,
                    abs(earlier.cost_impact) desc,
                    earlier.anomaly_id
            ) as same_cause_as
        from costs as later
        inner join
            costs as earlier
            on earlier.series_key = later.series_key
            and earlier.direction = later.direction
            and earlier.started_at < later.ended_at
            and later.started_at < earlier.ended_at
        where
            (later.test = 'daily' and earlier.test = 'hourly')
            or (later.test = 'drift' and earlier.test in ('daily', 'hourly'))
        group by later.anomaly_id
    ),

    -- For a service in an account: the element that changed.
    changed_elements as (
        select
            anomaly_id,
            first(
                part order by abs(actual_cost * greatest(reference_weeks, 1) - reference_cost) desc, part
            ) as changed_element
        from {{ ref("anomaly_charges") }}
        where part_kind = 'element'
        group by anomaly_id
    ),

    first_told as (
        select
            costs.*,
            abs(costs.cost_impact) as size,
            changed_elements.changed_element,
            usage.usage_name as stream
        from costs
        anti join same_series using (anomaly_id)
        left join changed_elements using (anomaly_id)
        left join {{ ref("anomaly_usage") }} as usage using (anomaly_id)
    ),

    -- The first rule that applies. Every rule points to an anomaly that shows more of the cause, so there
    -- are no cycles.
    pairs as (
        select
            shown.anomaly_id,
            cause.anomaly_id as same_cause_as,
            cause.series_kind,
            cause.size,
            shown.direction = cause.direction as is_same_way,
            shown.element = cause.element as is_same_element,
            case
                -- An element refers to the customer with half of the deviation or more.
                when shown.series_kind = 'feature' and cause.series_kind = 'customer_feature'
                then case when is_same_way and is_same_element and cause.size * 2 >= shown.size then 1 end
                -- A customer refers to its element, if no customer has half of the deviation.
                when shown.series_kind = 'customer_feature' and cause.series_kind = 'feature'
                then case when is_same_way and is_same_element then 4 end
                -- What a stream's units cost refers to an element whose cost the stream divides.
                when shown.series_kind = 'unit_cost' or cause.series_kind = 'unit_cost'
                then
                    case
                        when
                            shown.series_kind = 'unit_cost'
                            and cause.series_kind like '%feature'
                            and is_same_way
                            and cause.stream = shown.element
                        then 6
                    end
                -- A service in an account refers to the element that changed.
                when shown.series_kind = 'service_account' and cause.series_kind <> 'service_account'
                then case when is_same_way and cause.element = shown.changed_element then 5 end
                when shown.series_kind <> 'customer_feature' or cause.series_kind <> 'customer_feature'
                then null
                -- A customer refers to its other element with a larger deviation at the same time (overhead
                -- follows the customer's other costs).
                when is_same_way and cause.customer_id = shown.customer_id and cause.size > shown.size
                then 2
                -- A customer refers to another customer of the element with ten times the deviation, or one
                -- that pays more because this one pays less, since they share one cost.
                when
                    is_same_element
                    and (cause.size > 10 * shown.size or (not is_same_way and cause.size > shown.size))
                then 3
            end as preference
        from first_told as shown
        inner join
            first_told as cause
            on cause.billing_currency = shown.billing_currency
            and cause.started_at < shown.ended_at
            and shown.started_at < cause.ended_at
            and cause.anomaly_id <> shown.anomaly_id
        where preference is not null
    ),

    pointers as (
        select anomaly_id, same_cause_as
        from same_series
        union all
        select
            anomaly_id,
            first(
                same_cause_as
                order by
                    preference,
                    case when preference = 5 and series_kind <> 'feature' then 2 else 1 end,
                    size desc,
                    same_cause_as
            ) as same_cause_as
        from pairs
        where preference <> 4 or same_cause_as not in (select anomaly_id from pairs where preference = 1)
        group by anomaly_id
    ),

    daily_spend as (
        select billing_currency, usage_date, sum(effective_cost) as effective_cost
        from {{ ref("anomaly_series_daily") }}
        where series_kind = 'feature'
        group by all
    ),

    -- What all of the company cost in the 30 days until the anomaly's end.
    spend as (
        select costs.anomaly_id, sum(daily_spend.effective_cost) as effective_cost
        from costs
        inner join
            daily_spend
            on daily_spend.billing_currency = costs.billing_currency
            and daily_spend.usage_date < costs.ended_at
            and daily_spend.usage_date >= costs.ended_at - interval 30 days
        group by costs.anomaly_id
    ),

    anomalies as (
        select
            costs.*,
            spend.effective_cost as spend,
            feedback.verdict,
            feedback.note,
            -- Follow the chain to its end: at most from a day to its hours, to the element, to the
            -- customer, to its other element or another customer.
            coalesce(
                fifth.same_cause_as,
                fourth.same_cause_as,
                third.same_cause_as,
                second.same_cause_as,
                pointers.same_cause_as
            ) as same_cause_as,
            usage.usage_name,
            usage.usage_ratio,
            -- What a unit costs is judged at the usage there was.
            if(costs.series_kind = 'unit_cost', 0, coalesce(usage.usage_effect, 0)) as usage_effect,
            case when costs.customer_id <> 'unallocated' then customers.customer_name end as customer_name,
            usage.usage_quantity
        from costs
        left join spend using (anomaly_id)
        left join
            (values {{ verdicts | join(", ") }}) as feedback(anomaly_id, verdict, note) using (anomaly_id)
        left join pointers using (anomaly_id)
        left join pointers as second on second.anomaly_id = pointers.same_cause_as
        left join pointers as third on third.anomaly_id = second.same_cause_as
        left join pointers as fourth on fourth.anomaly_id = third.same_cause_as
        left join pointers as fifth on fifth.anomaly_id = fourth.same_cause_as
        left join {{ ref("anomaly_usage") }} as usage using (anomaly_id)
        left join {{ ref("customers") }} as customers on customers.customer_id = costs.customer_id
    )

select
    anomaly_id,
    cast(
        row_number() over (
            order by same_cause_as is not null, verdict is not null, abs(cost_impact) desc, anomaly_id
        ) as integer
    ) as impact_rank,
    series_kind,
    granularity,
    case
        when test = 'drift'
        then 'drift'
        when ended_at - started_at >= interval 3 days
        then 'shift'
        else 'spike'
    end as anomaly_kind,
    customer_id,
    customer_name,
    element,
    '{{ anomaly_dimension() }}' as dimension,
    service_name,
    sub_account_id,
    billing_currency,
    started_at,
    ended_at,
    is_ongoing,
    expected_cost,
    actual_cost,
    cost_impact,
    cast(
        least(abs(cast(cost_impact as double) / nullif(cast(spend as double), 0)), 1000000) as decimal(18, 9)
    ) as share_of_spend,
    coalesce(abs(cost_impact) * 1000 >= spend, true) as is_material,
    verdict,
    note as verdict_note,
    usage_name,
    usage_quantity,
    usage_ratio,
    usage_effect,
    cast(cost_impact - usage_effect as decimal(38, 12)) as rate_effect,
    cast(least(score, 1000000000) as decimal(18, 6)) as score,
    same_cause_as
from anomalies
