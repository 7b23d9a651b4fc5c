-- The yardstick: `customer_costs_daily` of the bench by hand, straight from the same files, in the project's own
-- arithmetic (a pool times a share, every cost column) and nothing else: no other format, rule, reason, check,
-- history or snapshot. Run once for each batch of days; `first_day` and `last_day` are the batch.
insert into customer_costs_daily
with
    pools as (
        select
            line_item_usage_start_date as usage_hour,
            resource_tags['user_feature'] as tag,
            product['product_name'] as service_name,
            cast(sum(cast(line_item_unblended_cost as decimal(24, 12))) as decimal(24, 12)) as billed_cost,
            cast(sum(cast(line_item_unblended_cost as decimal(24, 12))) as decimal(24, 12)) as effective_cost,
            cast(sum(cast(line_item_unblended_cost as decimal(24, 12))) as decimal(24, 12)) as contracted_cost,
            cast(sum(cast(pricing_public_on_demand_cost as decimal(24, 12))) as decimal(24, 12)) as list_cost,
            cast(sum(cast(line_item_unblended_cost as decimal(24, 12))) as decimal(24, 12)) as x_net_effective_cost
        from read_parquet(getvariable('bill'))
        where
            line_item_usage_start_date >= getvariable('first_day')
            and line_item_usage_start_date < getvariable('last_day') + interval 1 day
        group by all
    ),

    usage as (
        select stream, "timestamp" as usage_hour, customer_id, cast(sum(value) as hugeint) as quantity
        from read_parquet(getvariable('usage'))
        where "timestamp" >= getvariable('first_day') and "timestamp" < getvariable('last_day') + interval 1 day
        group by all
    ),

    cut as (
        select
            *,
            cast(quantity * 1000000000000 // sum(quantity) over share_set as bigint) as share_units,
            row_number() over (partition by stream, usage_hour order by quantity desc, customer_id) = 1 as is_largest
        from usage
        window share_set as (partition by stream, usage_hour)
    ),

    shares as (
        select
            stream,
            usage_hour,
            customer_id,
            cast(
                cast(
                    share_units + case
                        when is_largest
                        then 1000000000000 - sum(share_units) over (partition by stream, usage_hour)
                        else 0
                    end as decimal(13, 0)
                ) * 0.000000000001 as decimal(13, 12)
            ) as share
        from cut
    )

select
    cast(pools.usage_hour as date) as usage_date,
    coalesce(shares.customer_id, 'unallocated') as customer_id,
    'Feature ' || replace(pools.tag, 'feature-', '') as feature,
    pools.service_name,
    sum(pools.billed_cost * coalesce(shares.share, 1)) as billed_cost,
    sum(pools.effective_cost * coalesce(shares.share, 1)) as effective_cost,
    sum(pools.contracted_cost * coalesce(shares.share, 1)) as contracted_cost,
    sum(pools.list_cost * coalesce(shares.share, 1)) as list_cost,
    sum(pools.x_net_effective_cost * coalesce(shares.share, 1)) as x_net_effective_cost
from pools
left join
    shares
    on shares.stream = replace(pools.tag, 'feature-', 'stream_')
    and shares.usage_hour = pools.usage_hour
group by all
