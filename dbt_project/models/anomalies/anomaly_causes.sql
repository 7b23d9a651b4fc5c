{{ config(materialized="table") }}
-- One cause shows in several series. An anomaly refers to the one that says most of it; rule by rule,
-- the first that fits. Every rule points to an anomaly that is more of the cause than this one, so no
-- two point to each other.
with
    anomalies as (
        select
            anomaly_id,
            test,
            series_kind,
            series_key,
            customer_id,
            element,
            billing_currency,
            direction,
            started_at,
            ended_at,
            cost_impact,
            abs(cost_impact) as size
        from {{ ref("anomaly_costs") }}
    ),

    -- Of a service in an account: the element that its change is of.
    changed_elements as (
        select
            anomaly_id,
            first(
                part order by abs(actual_cost * greatest(reference_weeks, 1) - reference_cost) desc, part
            ) as element
        from {{ ref("anomaly_charges") }}
        where part_kind = 'element'
        group by anomaly_id
    ),

    -- 1: the same series, told by the hour rather than the day, or as a jump rather than a drift.
    same_series as (
        select
            later.anomaly_id,
            1 as preference,
            first(
                earlier.anomaly_id
                order by
                    case earlier.test when 'hourly' then 1 else 2 end, earlier.size desc, earlier.anomaly_id
            ) as same_cause_as
        from anomalies as later
        inner join
            anomalies as earlier
            on earlier.series_key = later.series_key
            and earlier.direction = later.direction
            and earlier.started_at < later.ended_at
            and later.started_at < earlier.ended_at
        where
            (later.test = 'daily' and earlier.test = 'hourly')
            or (later.test = 'drift' and earlier.test in ('daily', 'hourly'))
        group by later.anomaly_id
    ),

    first_told as (select anomalies.* from anomalies anti join same_series using (anomaly_id)),

    -- 2: an element, by the customer that makes half of the difference or more.
    of_customers as (
        select
            wide.anomaly_id,
            2 as preference,
            first(narrow.anomaly_id order by narrow.size desc, narrow.anomaly_id) as same_cause_as
        from first_told as wide
        inner join
            first_told as narrow
            on narrow.element = wide.element
            and narrow.billing_currency = wide.billing_currency
            and narrow.direction = wide.direction
            and narrow.started_at < wide.ended_at
            and wide.started_at < narrow.ended_at
            and narrow.size * 2 >= wide.size
        where wide.series_kind = 'feature' and narrow.series_kind = 'customer_feature'
        group by wide.anomaly_id
    ),

    -- 3: a customer, by another element of the same customer that makes a larger difference at the same time
    -- (overhead follows the cost that a customer carries).
    of_other_elements as (
        select
            small.anomaly_id,
            3 as preference,
            first(large.anomaly_id order by large.size desc, large.anomaly_id) as same_cause_as
        from first_told as small
        inner join
            first_told as large
            on large.customer_id = small.customer_id
            and large.billing_currency = small.billing_currency
            and large.direction = small.direction
            and large.started_at < small.ended_at
            and small.started_at < large.ended_at
            and large.size > small.size
        where small.series_kind = 'customer_feature' and large.series_kind = 'customer_feature'
        group by small.anomaly_id
    ),

    -- 4: a customer, by another one of the element that makes ten times the difference, or that pays
    -- more because this one pays less: they divide one cost.
    of_other_customers as (
        select
            small.anomaly_id,
            4 as preference,
            first(large.anomaly_id order by large.size desc, large.anomaly_id) as same_cause_as
        from first_told as small
        inner join
            first_told as large
            on large.element = small.element
            and large.billing_currency = small.billing_currency
            and large.started_at < small.ended_at
            and small.started_at < large.ended_at
            and (
                large.size > 10 * small.size
                or (large.direction <> small.direction and large.size > small.size)
            )
        where small.series_kind = 'customer_feature' and large.series_kind = 'customer_feature'
        group by small.anomaly_id
    ),

    -- 5: a customer, by its element, where no customer makes half of the difference.
    of_elements as (
        select
            narrow.anomaly_id,
            5 as preference,
            first(wide.anomaly_id order by wide.size desc, wide.anomaly_id) as same_cause_as
        from first_told as narrow
        inner join
            (select * from first_told anti join of_customers using (anomaly_id)) as wide
            on wide.element = narrow.element
            and wide.billing_currency = narrow.billing_currency
            and wide.direction = narrow.direction
            and narrow.started_at < wide.ended_at
            and wide.started_at < narrow.ended_at
        where wide.series_kind = 'feature' and narrow.series_kind = 'customer_feature'
        group by narrow.anomaly_id
    ),

    -- 6: a service in an account, by the element that its change is of.
    of_services as (
        select
            service.anomaly_id,
            6 as preference,
            first(
                cause.anomaly_id
                order by
                    case cause.series_kind when 'feature' then 1 else 2 end, cause.size desc, cause.anomaly_id
            ) as same_cause_as
        from first_told as service
        inner join changed_elements using (anomaly_id)
        inner join
            first_told as cause
            on cause.element = changed_elements.element
            and cause.billing_currency = service.billing_currency
            and cause.direction = service.direction
            and cause.started_at < service.ended_at
            and service.started_at < cause.ended_at
        where service.series_kind = 'service_account' and cause.series_kind <> 'service_account'
        group by service.anomaly_id
    ),

    pointers as (
        select anomaly_id, first(same_cause_as order by preference) as same_cause_as
        from
            (
                select *
                from same_series
                union all
                select *
                from of_customers
                union all
                select *
                from of_other_elements
                union all
                select *
                from of_other_customers
                union all
                select *
                from of_elements
                union all
                select *
                from of_services
            )
        group by anomaly_id
    )

-- To the end of the chain: at most from a day to its hours, to the element, to the customer, to its other
-- element or the customer beside it.
select
    anomalies.anomaly_id,
    coalesce(
        fifth.same_cause_as,
        fourth.same_cause_as,
        third.same_cause_as,
        second.same_cause_as,
        pointers.same_cause_as
    ) as same_cause_as
from anomalies
left join pointers using (anomaly_id)
left join pointers as second on second.anomaly_id = pointers.same_cause_as
left join pointers as third on third.anomaly_id = second.same_cause_as
left join pointers as fourth on fourth.anomaly_id = third.same_cause_as
left join pointers as fifth on fifth.anomaly_id = fourth.same_cause_as
