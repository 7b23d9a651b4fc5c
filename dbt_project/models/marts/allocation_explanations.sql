{%- set quantity = "rtrim(rtrim(cast(parts.usage_quantity as varchar), '0'), '.')" %}
{%- set all_usage = "rtrim(rtrim(cast(parts.total_usage as varchar), '0'), '.')" %}
with
    -- A rule of several streams or fixed customers is several rows of the table.
    rules as (
        select
            rule_name,
            any_value(context_file) || ':' || min(context_line) as rule_place,
            any_value(minimum_share) as minimum_share,
            string_agg(
                stream || case when weight < 1 then ' × ' || rtrim(cast(weight as varchar), '0') else '' end,
                ', '
                order by weight desc, stream
            ) as streams
        from {{ ref("allocation_rules") }}
        group by rule_name
    ),

    parts as (
        select
            allocations.*,
            rules.rule_place,
            rules.minimum_share,
            rules.streams,
            pools.effective_cost as pool_cost,
            {{ dimension_columns("pools") }},
            pools.service_name,
            pools.charge_category,
            pools.billing_period,
            pools.billing_currency
        from {{ ref("allocations") }} as allocations
        inner join {{ ref("cost_pools") }} as pools using (pool_id, usage_date)
        left join rules on rules.rule_name = allocations.allocation_rule
    )

select
    parts.usage_date,
    parts.customer_id,
    parts.pool_id,
    parts.billing_period,
    {{ dimension_columns("parts") }},
    parts.service_name,
    parts.charge_category,
    parts.allocation_kind,
    parts.reason as unallocated_reason,
    parts.allocation_rule,
    parts.rule_place,
    parts.method,
    parts.streams as stream,
    parts.usage_window,
    cast(parts.usage_quantity as decimal(38, 12)) as usage_quantity,
    cast(parts.total_usage as decimal(38, 12)) as total_usage,
    parts.long_tail_customers,
    parts.share,
    parts.billing_currency,
    parts.pool_cost,
    parts.effective_cost,
    parts.billed_cost,
    concat(
        cast(parts.effective_cost as varchar),
        ' ',
        parts.billing_currency,
        case
            when parts.allocation_kind = 'direct'
            then ': charges that name the customer'
            when parts.reason = 'no usage'
            then
                ' stays with nobody: no usage of '
                || parts.streams
                || ' in any window of the rule, of '
                || cast(parts.pool_cost as varchar)
            when parts.allocation_kind = 'unallocated'
            then ' stays with nobody: ' || parts.reason
            else
                concat(
                    ' is ',
                    rtrim(rtrim(cast(cast(parts.share * 100 as decimal(38, 6)) as varchar), '0'), '.'),
                    ' % of ',
                    cast(parts.pool_cost as varchar),
                    case
                        parts.method
                        when 'stream'
                        then
                            concat(
                                ', for ',
                                {{ quantity }},
                                ' of ',
                                {{ all_usage }},
                                ' units of ',
                                parts.streams,
                                ' (',
                                parts.usage_window,
                                ')'
                            )
                        when 'even'
                        then ', the same for each of ' || {{ all_usage }} || ' customers active on the day'
                        when 'fixed'
                        then ', the share that the rule fixes'
                        when 'allocated_cost'
                        then
                            concat(
                                ', for ',
                                {{ quantity }},
                                ' of ',
                                {{ all_usage }},
                                ' of the cost that customers carry already'
                            )
                    end
                )
        end,
        case
            when parts.long_tail_customers is not null
            then
                concat(
                    '; ',
                    parts.long_tail_customers,
                    ' customers, each with less than ',
                    rtrim(cast(parts.minimum_share as varchar), '0'),
                    ' of the pool'
                )
            else ''
        end,
        ' (',
        coalesce(parts.service_name, 'no service'),
        coalesce(', rule ' || parts.allocation_rule || ', ' || parts.rule_place, ''),
        ')'
    ) as explanation
from parts
