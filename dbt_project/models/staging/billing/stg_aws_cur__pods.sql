-- Split cost allocation shows an instance's money a second time, by the pods and tasks that ran on it. Here
-- each pod takes its part out of its instance's line items, in every cost column and at the ratio of the
-- amortised costs (the net ones for the net column, where the bill has them), and what no pod took stays
-- with the instance. An instance hour can be several line items (one per purchase option): a pod then has a
-- part in each of them. Nothing is rounded away: the instance keeps the rest to the last digit.
with
    pods as (
        select *
        from {{ ref("stg_aws_cur__line_items") }}
        where
            is_split
            and {{ in_changed_deliveries("aws_cur") }}
            and usage_date in (select usage_date from {{ ref("changed_days") }})
    ),

    instances as (
        select
            line_item_id,
            x_source_name,
            delivery,
            resource_id,
            charge_period_start,
            billed_cost,
            covered_or_plain_cost as effective_cost,
            contracted_cost,
            list_cost,
            net_covered_or_plain_cost as x_net_effective_cost,
            commitment_discount_id,
            commitment_discount_status
        from {{ ref("stg_aws_cur__line_items") }}
        where
            not is_split
            and resource_id in (select x_split_parent_id from pods)
            and charge_category = 'Usage'
            -- Data transfer and the like bear the instance's id too; the pods are parts of its running
            -- hours.
            and (
                x_usage_type like '%BoxUsage%'
                or x_usage_type like '%SpotUsage%'
                or x_usage_type like '%HeavyUsage%'
                or x_usage_type like '%DedicatedUsage%'
                or x_usage_type like '%Fargate%'
            )
            and {{ in_changed_deliveries("aws_cur") }}
            and usage_date in (select usage_date from {{ ref("changed_days") }})
    ),

    instance_hours as (
        select
            x_source_name,
            delivery,
            resource_id,
            charge_period_start,
            {{ money_units("sum(effective_cost)") }} as effective_units,
            {{ money_units("sum(x_net_effective_cost)") }} as net_effective_units
        from instances
        group by all
    )

select
    -- With the instance line item's file and row: a delivery's files each have a row 1.
    pods.line_item_id || coalesce(
        '/'
        || split_part(instances.line_item_id, '/', -2)
        || '/'
        || split_part(instances.line_item_id, '/', -1),
        ''
    ) as charge_id,
    pods.line_item_id as pod_line_item_id,
    instances.line_item_id as instance_line_item_id,
    instances.commitment_discount_id,
    instances.commitment_discount_status,
    {%- for column in cost_columns() %}
        {%- if column == "x_net_effective_cost" %}
            {%- set part = "coalesce(pods.net_split_cost, pods.split_cost)" %}
            {%- set whole = (
                "case when pods.net_split_cost is null then instance_hours.effective_units"
                ~ " else instance_hours.net_effective_units end"
            ) %}
        {%- else %} {%- set part, whole = "pods.split_cost", "instance_hours.effective_units" %}
        {%- endif %}
        coalesce(
            {{
                money(
                    whole_quotient(
                        money_units("instances." ~ column) ~ " * " ~ money_units(part),
                        "nullif(" ~ whole ~ ", 0)",
                    )
                )
            }},
            0
        ) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from pods
left join
    instances
    on instances.x_source_name = pods.x_source_name
    and instances.delivery = pods.delivery
    and instances.resource_id = pods.x_split_parent_id
    and instances.charge_period_start = pods.charge_period_start
left join
    instance_hours
    on instance_hours.x_source_name = pods.x_source_name
    and instance_hours.delivery = pods.delivery
    and instance_hours.resource_id = pods.x_split_parent_id
    and instance_hours.charge_period_start = pods.charge_period_start
