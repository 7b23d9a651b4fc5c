-- What the provider works out from the hours of bill.sql: reservations by month, split cost of the Kubernetes
-- cluster, credits, refunds, support and tax. Runs after bill.sql, with the same tables and variables.

-- 5. The recurring fee of a reservation, once a month, with the part that no usage took.
insert into cur_2 by name
with
    months as (select month, next_month, count(*) as month_hours from hours group by all),
    used as (
        select month, paid_by as name, sum(amount)::decimal(18, 0) as used_hours from metered group by all
    ),
    quantities as (
        select
            reservations.*,
            month,
            next_month,
            (month_hours * "count")::decimal(18, 0) as reserved_hours,
            (month_hours * "count" - used_hours)::decimal(18, 0) as unused_hours
        from months
        cross join reservations
        join used using (month, name)
    )
select
    'Anniversary' as bill_bill_type,
    month as line_item_usage_start_date,
    next_month - interval 1 second as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'RIFee' as line_item_line_item_type,
    service as line_item_product_code,
    usage_type as line_item_usage_type,
    operation as line_item_operation,
    format('USD {} hourly fee per {}', recurring::varchar, usage_type) as line_item_line_item_description,
    reserved_hours as line_item_usage_amount,
    usd(reserved_hours * recurring) as line_item_unblended_cost,
    getvariable('region') as product_region_code,
    map {'product_name': product_name, 'region': getvariable('region')} as product,
    arn as reservation_reservation_a_r_n,
    "count"::varchar as reservation_number_of_reservations,
    reserved_hours::varchar as reservation_total_reserved_units,
    unused_hours as reservation_unused_quantity,
    usd(unused_hours * recurring) as reservation_unused_recurring_fee,
    usd(unused_hours * upfront) as reservation_unused_amortized_upfront_fee_for_billing_period,
    usd(reserved_hours * upfront) as reservation_amortized_upfront_fee_for_billing_period
from quantities;

-- 6. Split cost: for every pod and hour one line for CPU and one for memory. They are a second view of the
-- node's own line, so their unblended cost is 0. The node's amortised cost is divided 9 to 1 between a unit of
-- CPU and one of memory; a pod pays for what it uses or reserves, whichever is larger, and for its share of what
-- is idle. The daemons of the system use a part that belongs to no pod.
insert into cur_2 by name
with
    pod_hours as (
        select
            pods.*,
            metered.hour,
            metered.resource_id as parent,
            metered.on_demand_cost,
            usd(metered.amount * amortised_rate(savings_plans.rate, metered.price)) as parent_cost,
            (hours.activity * noise(node || workload || hours.hour))::decimal(8, 4) as load,
            '1' || substring(md5(workload || node || yearweek(hours.hour)), 1, 9) as replica
        from pods
        join metered on metered.name = pods.node
        join hours on hours.hour = metered.hour
        join savings_plans on savings_plans.name = metered.paid_by
    ),
    resources_of_pods as (
        select
            *, 'vCPU' as resource, cpu as full_size, getvariable('node_cpu') as capacity,
            getvariable('system_cpu') as system_usage, 9 as weight
        from pod_hours
        union all
        select
            *, 'GB' as resource, gib as full_size, getvariable('node_gib') as capacity,
            getvariable('system_gib') as system_usage, 1 as weight
        from pod_hours
    ),
    usage as (
        select
            *,
            (full_size * 0.6)::decimal(10, 4) as reserved_usage,
            (full_size * load)::decimal(10, 4) as actual_usage,
            greatest(reserved_usage, actual_usage) as split_usage,
            weight / (9 * getvariable('node_cpu') + getvariable('node_gib')) as part_of_cost
        from resources_of_pods
    ),
    shares as (
        select
            *,
            split_usage * part_of_cost as used_part,
            -- Idle capacity follows use, with the system's daemons as one of the users.
            (capacity - system_usage - sum(split_usage) over in_node)
                * split_usage / (system_usage + sum(split_usage) over in_node) * part_of_cost as idle_part
        from usage
        window in_node as (partition by node, hour, resource)
    )
select
    'Anniversary' as bill_bill_type,
    hour as line_item_usage_start_date,
    hour + interval 1 hour as line_item_usage_end_date,
    getvariable('cluster_account_id') as line_item_usage_account_id,
    'Usage' as line_item_line_item_type,
    'AmazonEKS' as line_item_product_code,
    'EKS-EC2-' || resource || '-Hours' as line_item_usage_type,
    'EKSPod-EC2' as line_item_operation,
    format(
        'arn:aws:eks:{}:{}:pod/{}/{}/{}-{}/{}',
        getvariable('region'), getvariable('cluster_account_id'), getvariable('cluster'), namespace, workload,
        replica, md5(replica)::uuid::varchar
    ) as line_item_resource_id,
    format('$0 for EKSPod-EC2 {}-Hours', resource) as line_item_line_item_description,
    split_usage as line_item_usage_amount,
    0 as line_item_unblended_cost,
    0 as pricing_public_on_demand_cost,
    getvariable('region') as product_region_code,
    'AmazonEKS' as product_servicecode,
    map {'product_name': 'Amazon Elastic Container Service for Kubernetes', 'region': getvariable('region')}
        as product,
    map {
        'aws_eks_cluster_name': getvariable('cluster'),
        'aws_eks_namespace': namespace,
        'aws_eks_node': node,
        'aws_eks_workload_type': 'ReplicaSet',
        'aws_eks_workload_name': workload,
        'aws_eks_deployment': workload
    } as resource_tags,
    parent as split_line_item_parent_resource_id,
    reserved_usage as split_line_item_reserved_usage,
    actual_usage as split_line_item_actual_usage,
    split_usage as split_line_item_split_usage,
    split_usage / capacity as split_line_item_split_usage_ratio,
    usd(used_part * parent_cost) as split_line_item_split_cost,
    usd(idle_part * parent_cost) as split_line_item_unused_cost,
    usd(used_part * on_demand_cost) as split_line_item_public_on_demand_split_cost,
    usd(idle_part * on_demand_cost) as split_line_item_public_on_demand_unused_cost
from shares;

-- 7. Credits: half of development's usage every day, the migration programme every month, and a service credit
-- for an outage that is only granted after the first month was delivered.
create or replace table credits as
select
    hour::date::timestamp as starts, hour::date + interval 1 day as ends, account_id, service,
    'Credit for development accounts' as description,
    usd(-sum(on_demand_cost) * getvariable('development_credit_rate')) as cost,
    false as restated
from metered
where account_id = getvariable('development_id')
group by all
union all
select
    month, next_month - interval 1 second, getvariable('migration_credit_account'),
    getvariable('migration_credit_service'), 'AWS Migration Acceleration Program credit',
    usd(getvariable('migration_credit')), false
from (select distinct month, next_month from hours)
union all
select
    day, day + interval 1 day, getvariable('cluster_account_id'), 'AmazonES', 'Service level credit',
    usd(-84.35), true
from generate_series(timestamp '2026-09-14', timestamp '2026-09-16', interval 1 day) as days (day);

insert into cur_2 by name
select
    'Anniversary' as bill_bill_type,
    starts as line_item_usage_start_date,
    ends as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'Credit' as line_item_line_item_type,
    service as line_item_product_code,
    description as line_item_line_item_description,
    cost as line_item_unblended_cost,
    map {'product_name': product_name} as product,
    restated
from credits
join services using (service);

-- 8. Refunds; the first comes after the first month was delivered.
insert into cur_2 by name
select
    'Refund' as bill_bill_type,
    day as line_item_usage_start_date,
    day + interval 1 hour as line_item_usage_end_date,
    getvariable('cluster_account_id') as line_item_usage_account_id,
    'Refund' as line_item_line_item_type,
    'AmazonCloudFront' as line_item_product_code,
    'Refund for misrouted transfer' as line_item_line_item_description,
    usd(cost) as line_item_unblended_cost,
    map {'product_name': 'Amazon CloudFront'} as product,
    day < timestamp '2026-10-01' as restated
from (values (timestamp '2026-09-22', -212.40), (timestamp '2026-10-08', -36.15)) as refunds (day, cost);

-- 9. Support, a share of what each account used; it appears around the sixth of the next month.
insert into cur_2 by name
select
    'Anniversary' as bill_bill_type,
    month as line_item_usage_start_date,
    next_month - interval 1 second as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'Fee' as line_item_line_item_type,
    'AWSSupportEnterprise' as line_item_product_code,
    'Dollar' as line_item_usage_type,
    'AWS Support (Enterprise)' as line_item_line_item_description,
    sum(on_demand_cost)::decimal(28, 2) as line_item_usage_amount,
    (sum(on_demand_cost) * getvariable('support_rate'))::decimal(28, 2) as line_item_unblended_cost,
    map {'product_name': 'AWS Support (Enterprise)'} as product,
    month < timestamp '2026-10-01' as restated
from metered
group by all;

-- 10. Tax on what each account is charged for, credits and refunds aside, per service.
insert into cur_2 by name
with
    taxed as (
        select
            date_trunc('month', line_item_usage_start_date)::timestamp as month,
            line_item_usage_account_id as account_id,
            line_item_product_code as service,
            sum(usd(line_item_unblended_cost)) as cost
        from cur_2
        where line_item_line_item_type not in ('Credit', 'Refund')
        group by all
    )
select
    'Anniversary' as bill_bill_type,
    month as line_item_usage_start_date,
    month + interval 1 month - interval 1 second as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'Tax' as line_item_line_item_type,
    service as line_item_product_code,
    'VAT' as line_item_tax_type,
    'Tax for product code ' || service as line_item_line_item_description,
    1 as line_item_usage_amount,
    (cost * getvariable('tax_rate'))::decimal(28, 2) as line_item_unblended_cost,
    map {'product_name': product_name} as product
from taxed
join services using (service)
where cost > 1;

-- What is the same on every line of the bill.
update cur_2
set
    bill_billing_entity = 'AWS',
    bill_invoicing_entity = 'Amazon Web Services, Inc.',
    bill_billing_period_start_date = date_trunc('month', line_item_usage_start_date),
    bill_billing_period_end_date = date_trunc('month', line_item_usage_start_date) + interval 1 month,
    -- The second month is not final yet, so it has no invoice.
    bill_invoice_id = if(line_item_usage_start_date < timestamp '2026-10-01', '20260912345', null),
    bill_payer_account_id = getvariable('payer_id'),
    bill_payer_account_name = getvariable('payer_name'),
    line_item_usage_account_name = accounts.name,
    line_item_currency_code = 'USD',
    line_item_legal_entity = 'Amazon Web Services, Inc.',
    pricing_currency = 'USD',
    cost_category = coalesce(cost_category, map {}),
    discount = coalesce(discount, map {}),
    product = coalesce(product, map {}),
    resource_tags = coalesce(resource_tags, map {}),
    identity_line_item_id = md5(
        concat_ws(
            '|', line_item_line_item_type, line_item_usage_account_id, line_item_product_code, line_item_usage_type,
            line_item_operation, line_item_resource_id, savings_plan_savings_plan_a_r_n, reservation_reservation_a_r_n,
            line_item_line_item_description
        )
    ),
    identity_time_interval = strftime(line_item_usage_start_date, '%Y-%m-%dT%H:%M:%SZ') || '/'
        || strftime(line_item_usage_end_date, '%Y-%m-%dT%H:%M:%SZ')
from accounts
where accounts.account_id = line_item_usage_account_id;
