-- The lines of the sample company's bill that follow its hours: every resource of estate.csv in every hour, and
-- what pays for it. Given: the tables hours, resources, savings_plans and reservations, and variables such as
-- region and payer_id. Amounts are decimal until they are stored, and rounded to ten decimals when they are made.

create or replace macro usd(amount) as amount::decimal(28, 10);
create or replace macro amortised_rate(plan_rate, price) as (plan_rate * price)::decimal(14, 10);

create or replace table metered as
with
    switched_on as (
        select
            resources.*,
            hours.* exclude (activity),
            case shape
                when 'curve' then (activity * noise(name || usage_type || hour))::decimal(12, 6)
                when 'growing' then (1 + day_number * 0.0006::decimal(6, 4))::decimal(12, 6)
                else 1::decimal(12, 6)
            end * if(in_incident, incident_factor, 1) as factor
        from resources, hours
        where
            case shape
                when 'office' then in_office_hours
                when 'night' then in_night_hours
                when 'incident' then in_incident
                else true
            end
            and (until is null or hour < until)
    ),
    amounts as (select *, (quantity * factor)::decimal(18, 10) as amount from switched_on)
select *, usd(amount * price) as on_demand_cost from amounts;

-- 1. What is used: on demand, covered by a Savings Plan, or covered by a reservation.
insert into cur_2 by name
select
    'Anniversary' as bill_bill_type,
    hour as line_item_usage_start_date,
    hour + interval 1 hour as line_item_usage_end_date,
    metered.account_id as line_item_usage_account_id,
    case
        when savings_plans.arn is not null then 'SavingsPlanCoveredUsage'
        when reservations.arn is not null then 'DiscountedUsage'
        else 'Usage'
    end as line_item_line_item_type,
    metered.service as line_item_product_code,
    metered.usage_type as line_item_usage_type,
    metered.operation as line_item_operation,
    resource_id as line_item_resource_id,
    if(metered.usage_type like 'BoxUsage:%', getvariable('region') || 'a', null) as line_item_availability_zone,
    format('${} per {} of {}', price::varchar, unit, metered.usage_type) as line_item_line_item_description,
    amount as line_item_usage_amount,
    if(reservations.arn is null, on_demand_cost, 0) as line_item_unblended_cost,
    on_demand_cost as pricing_public_on_demand_cost,
    price::varchar as pricing_public_on_demand_rate,
    if(reservations.arn is null, price, 0)::varchar as line_item_unblended_rate,
    unit as pricing_unit,
    case when reservations.arn is not null then 'Reserved' when savings_plans.arn is null then 'OnDemand' end
        as pricing_term,
    -- Regions are missing here for storage services, as they are in real exports; the map below has them.
    if(metered.service in ('AmazonS3', 'AmazonECR'), null, metered.region) as product_region_code,
    family as product_product_family,
    metered.service as product_servicecode,
    upper(substring(md5(metered.service || metered.usage_type), 1, 16)) as product_sku,
    if(metered.usage_type like 'BoxUsage:%', split_part(metered.usage_type, ':', 2), null) as product_instance_type,
    map {'product_name': metered.product_name, 'region': metered.region, 'servicecode': metered.service} as product,
    tags as resource_tags,
    savings_plans.arn as savings_plan_savings_plan_a_r_n,
    savings_plans.offering as savings_plan_offering_type,
    savings_plans.payment as savings_plan_payment_option,
    if(savings_plans.arn is null, null, '1yr') as savings_plan_purchase_term,
    amortised_rate(savings_plans.rate, price) as savings_plan_savings_plan_rate,
    usd(amount * amortised_rate(savings_plans.rate, price)) as savings_plan_savings_plan_effective_cost,
    reservations.arn as reservation_reservation_a_r_n,
    usd(amount * (reservations.recurring + reservations.upfront)) as reservation_effective_cost,
    usd(amount * reservations.upfront) as reservation_amortized_upfront_cost_for_usage,
    usd(amount * reservations.recurring) as reservation_recurring_fee_for_usage,
    -- The last evening of the first month was metered late.
    metered.service in ('AmazonCloudFront', 'AWSDataTransfer') and hour >= timestamp '2026-09-30 20:00:00'
        and hour < timestamp '2026-10-01 00:00:00' as restated
from metered
left join savings_plans on savings_plans.name = metered.paid_by
left join reservations on reservations.name = metered.paid_by;

-- 2. The negation takes the on-demand cost of covered usage back, per hour, account, usage type and plan.
insert into cur_2 by name
select
    'Anniversary' as bill_bill_type,
    hour as line_item_usage_start_date,
    hour + interval 1 hour as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'SavingsPlanNegation' as line_item_line_item_type,
    metered.service as line_item_product_code,
    metered.usage_type as line_item_usage_type,
    metered.operation as line_item_operation,
    'SavingsPlanNegation used by AccountId : ' || account_id || ' and UsageSku : '
        || upper(substring(md5(metered.service || metered.usage_type), 1, 16)) as line_item_line_item_description,
    sum(amount) as line_item_usage_amount,
    -sum(on_demand_cost) as line_item_unblended_cost,
    metered.region as product_region_code,
    metered.service as product_servicecode,
    map {'product_name': product_name, 'region': metered.region} as product,
    savings_plans.arn as savings_plan_savings_plan_a_r_n,
    savings_plans.offering as savings_plan_offering_type
from metered
join savings_plans on savings_plans.name = metered.paid_by
group by all;

-- 3. The commitment of every hour; what no usage takes of it is the unused part.
insert into cur_2 by name
with
    used as (
        select hour, paid_by as name, sum(usd(amount * amortised_rate(rate, price))) as used
        from metered
        join savings_plans on savings_plans.name = metered.paid_by
        group by all
    )
select
    'Anniversary' as bill_bill_type,
    hours.hour as line_item_usage_start_date,
    hours.hour + interval 1 hour as line_item_usage_end_date,
    getvariable('payer_id') as line_item_usage_account_id,
    'SavingsPlanRecurringFee' as line_item_line_item_type,
    'ComputeSavingsPlans' as line_item_product_code,
    offering || ':1yr' || replace(payment, ' ', '') as line_item_usage_type,
    format('1 year {} {}', payment, offering) as line_item_line_item_description,
    1 as line_item_usage_amount,
    recurring as line_item_unblended_cost,
    map {'product_name': 'Savings Plans for AWS Compute usage'} as product,
    arn as savings_plan_savings_plan_a_r_n,
    offering as savings_plan_offering_type,
    payment as savings_plan_payment_option,
    '1yr' as savings_plan_purchase_term,
    commitment as savings_plan_total_commitment_to_date,
    coalesce(used, 0) as savings_plan_used_commitment,
    recurring as savings_plan_recurring_commitment_for_billing_period,
    commitment - recurring as savings_plan_amortized_upfront_commitment_for_billing_period
from hours
cross join savings_plans
left join used on used.hour = hours.hour and used.name = savings_plans.name;

-- 4. The fee that is paid at once, for plans and for reservations bought within the two months.
insert into cur_2 by name
select
    'Purchase' as bill_bill_type,
    starts::timestamp as line_item_usage_start_date,
    starts::timestamp + interval 1 second as line_item_usage_end_date,
    getvariable('payer_id') as line_item_usage_account_id,
    'SavingsPlanUpfrontFee' as line_item_line_item_type,
    'ComputeSavingsPlans' as line_item_product_code,
    offering || ':1yr' || replace(payment, ' ', '') as line_item_usage_type,
    'Upfront fee for 1 year ' || payment || ' ' || offering as line_item_line_item_description,
    upfront_fee as line_item_unblended_cost,
    map {'product_name': 'Savings Plans for AWS Compute usage'} as product,
    arn as savings_plan_savings_plan_a_r_n,
    offering as savings_plan_offering_type,
    payment as savings_plan_payment_option
from savings_plans
where upfront_fee > 0 and starts >= getvariable('first_hour');

insert into cur_2 by name
select
    'Purchase' as bill_bill_type,
    starts::timestamp as line_item_usage_start_date,
    starts::timestamp + interval 1 second as line_item_usage_end_date,
    account_id as line_item_usage_account_id,
    'Fee' as line_item_line_item_type,
    service as line_item_product_code,
    usage_type as line_item_usage_type,
    operation as line_item_operation,
    'Sign up charge for subscription: ' || arn as line_item_line_item_description,
    "count" as line_item_usage_amount,
    upfront_fee as line_item_unblended_cost,
    map {'product_name': product_name} as product,
    arn as reservation_reservation_a_r_n
from reservations
where upfront_fee > 0 and starts >= getvariable('first_hour');
