with
    -- Rules with several streams or fixed customers have several rows.
    rules as (
        select
            rule_name as allocation_rule,
            any_value(method) as method,
            any_value(context_file) || ':' || min(context_line) as rule_place,
            string_agg(
                stream || case when weight < 1 then ' × ' || rtrim(cast(weight as varchar), '0') else '' end,
                ', '
                order by weight desc, stream
            ) as stream
        from {{ ref("allocation_rules") }}
        group by rule_name
    ),

    newest as (select max(usage_date) as last_day from {{ ref("customer_totals_daily") }}),

    pools as (
        select
            pool_id,
            usage_date,
            {{ dimension_columns() }},
            service_name,
            charge_category,
            cast(billing_period || '-01' as date) as billing_month,
            billing_currency,
            sum(billed_cost) as pool_billed_cost,
            sum(effective_cost) as pool_cost
        from {{ ref("cost_pools") }}
        where
            usage_date > (select last_day from newest) - {{ var("explanations_days") | int }}
            and usage_date <= (select last_day from newest)
        group by all
    ),

    usage_windows as (
        select
            share_set_id,
            usage_date,
            string_agg(distinct usage_window, ', ' order by usage_window) as usage_window
        from {{ ref("share_sets") }}
        group by all
    ),

    -- All that is known of a pool, before its customers multiply the rows.
    sets as (
        select
            pools.*,
            sets.usage_hour,
            sets.share_set_id,
            sets.allocation_rule,
            sets.allocation_kind,
            rules.method,
            rules.rule_place,
            rules.stream,
            usage_windows.usage_window
        from {{ ref("pool_share_sets") }} as sets
        inner join pools using (pool_id, usage_date)
        left join rules using (allocation_rule)
        left join usage_windows using (share_set_id, usage_date)
    ),

    parts as (
        select
            sets.* exclude (allocation_kind),
            case
                when shares.unallocated_reason is null then sets.allocation_kind else 'unallocated'
            end as allocation_kind,
            shares.* exclude (share_set_id, usage_date),
            sets.pool_cost * shares.share as effective_cost,
            sets.pool_billed_cost * shares.share as billed_cost
        from sets
        inner join {{ ref("shares") }} as shares using (share_set_id, usage_date)
    )

select
    usage_date,
    usage_hour,
    customer_id,
    customers.customer_name,
    customers.segment,
    pool_id,
    billing_month,
    {{ dimension_columns() }},
    service_name,
    charge_category,
    allocation_kind,
    unallocated_reason,
    allocation_rule,
    rule_place,
    method,
    stream,
    usage_window,
    usage_quantity,
    total_usage,
    carried_cost,
    total_carried_cost,
    long_tail_customers,
    billing_currency,
    share,
    pool_cost,
    effective_cost,
    billed_cost
from parts
left join {{ ref("customers") }} as customers using (customer_id)
