-- The yardstick: `customer_costs_daily` of the bench, by hand, straight from the same files. It does what the job
-- does for this bill (exact shares of each hour's cost, the rest of the rounding to the largest share, every cost
-- column) and nothing else: no other format, rule, reason, check, history or snapshot.
create table customer_costs_daily as
with
    charges as (
        select
            line_item_usage_start_date as usage_hour,
            'Feature ' || replace(resource_tags['user_feature'], 'feature-', '') as feature,
            'stream_' || replace(resource_tags['user_feature'], 'feature-', '') as stream,
            product['product_name'] as service_name,
            line_item_unblended_cost::varchar::decimal(38, 12) as cost,
            pricing_public_on_demand_cost::varchar::decimal(38, 12) as list_cost
        from read_parquet(getvariable('bill'))
    ),

    -- Costs in whole units of the last digit, so that division is exact.
    pools as (
        select
            row_number() over () as pool,
            usage_hour,
            feature,
            stream,
            service_name,
            (sum(cost) * 1000000000000)::hugeint as cost,
            (sum(list_cost) * 1000000000000)::hugeint as list_cost
        from charges
        group by all
    ),

    usage as (
        select stream, "timestamp" as usage_hour, customer_id, sum(value)::hugeint as quantity
        from read_parquet(getvariable('usage'))
        group by all
    ),

    shares as (
        select
            *,
            sum(quantity) over hour as total,
            row_number() over (partition by stream, usage_hour order by quantity desc, customer_id) = 1 as is_largest
        from usage
        window hour as (partition by stream, usage_hour)
    ),

    cut as (
        select
            pool,
            usage_hour,
            feature,
            service_name,
            customer_id,
            is_largest,
            pools.cost as pool_cost,
            pools.list_cost as pool_list_cost,
            divide(pools.cost * quantity, total) as cost,
            divide(pools.list_cost * quantity, total) as list_cost
        from pools
        left join shares using (stream, usage_hour)
    ),

    exact as (
        select
            * exclude (cost, list_cost),
            cost + if(is_largest, pool_cost - sum(cost) over (partition by pool), 0) as cost,
            list_cost + if(is_largest, pool_list_cost - sum(list_cost) over (partition by pool), 0) as list_cost
        from cut
        where customer_id is not null
        union all by name
        select * replace ('unallocated' as customer_id, pool_cost as cost, pool_list_cost as list_cost)
        from cut
        where customer_id is null
    )

select
    usage_hour::date as usage_date,
    customer_id,
    feature,
    service_name,
    (sum(cost)::decimal(38, 0) * 0.000000000001)::decimal(38, 12) as billed_cost,
    (sum(cost)::decimal(38, 0) * 0.000000000001)::decimal(38, 12) as effective_cost,
    (sum(cost)::decimal(38, 0) * 0.000000000001)::decimal(38, 12) as contracted_cost,
    (sum(list_cost)::decimal(38, 0) * 0.000000000001)::decimal(38, 12) as list_cost,
    (sum(cost)::decimal(38, 0) * 0.000000000001)::decimal(38, 12) as x_net_effective_cost
from exact
group by all;
