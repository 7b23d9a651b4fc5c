-- Split cost allocation shows an instance's cost a second time, by pods and tasks. Here each pod takes its
-- part out of its instance's line items, in every cost column, at the ratio of the amortised costs (net
-- ones for the net column, if the bill has them); the rest stays with the instance. A pod has one part for
-- what it used (split cost) and one for its share of the unused part (unused cost). An instance hour can be
-- several line items (one per purchase option); a pod then has parts in each. The instance keeps the
-- remainder, to the last digit.
--
-- A Fargate task has no instance: its line items are its own, and only their unused part (if AWS reports
-- it) is split off.
with
    -- Not materialized: without pods in the bill, almost nothing is read.
    line_items as not materialized(select * from {{ ref("stg_aws_cur__line_items") }}),

    pods as materialized(
        select
            usage_date,
            line_item_id as pod_line_item_id,
            x_source_name as pod_source_name,
            delivery as pod_delivery,
            x_landed_file as pod_landed_file,
            x_landed_row as pod_landed_row,
            x_split_parent_id,
            charge_period_start as pod_period_start,
            is_split as has_instance,
            case when is_split then used_split_cost else 0 end as used_split_cost,
            unused_split_cost,
            case
                when is_split or net_used_split_cost is null then net_used_split_cost else 0
            end as net_used_split_cost,
            net_unused_split_cost
        from line_items
        where is_split or unused_split_cost <> 0 or net_unused_split_cost <> 0
    ),

    hosts as not materialized(
        select
            line_item_id,
            x_source_name,
            delivery,
            x_landed_file,
            x_landed_row,
            resource_id,
            charge_period_start,
            billed_cost,
            covered_or_plain_cost as effective_cost,
            contracted_cost,
            list_cost,
            net_covered_or_plain_cost as x_net_effective_cost,
            commitment_discount_id,
            commitment_discount_status,
            charge_category,
            x_usage_type
        from line_items
        where not is_split
    ),

    instances as (
        select
            *,
            {{ money_units("sum(effective_cost) over hours") }} as effective_units,
            {{ money_units("sum(x_net_effective_cost) over hours") }} as net_effective_units
        from hosts
        where
            resource_id in (select x_split_parent_id from pods where has_instance)
            and charge_category = 'Usage'
            -- Data transfer and the like also have the instance's id; pods are parts of its running hours
            -- only.
            and (
                x_usage_type like '%BoxUsage%'
                or x_usage_type like '%SpotUsage%'
                or x_usage_type like '%HeavyUsage%'
                or x_usage_type like '%DedicatedUsage%'
                or x_usage_type like '%Fargate%'
            )
        window hours as (partition by x_source_name, delivery, resource_id, charge_period_start)
    ),

    placed as (
        select pods.*, instances.*
        from pods
        left join
            instances
            on instances.x_source_name = pods.pod_source_name
            and instances.delivery = pods.pod_delivery
            and instances.resource_id = pods.x_split_parent_id
            and instances.charge_period_start = pods.pod_period_start
        where pods.has_instance
        union all by name
        select
            pods.*,
            hosts.*,
            {{ money_units("hosts.effective_cost") }} as effective_units,
            {{ money_units("hosts.x_net_effective_cost") }} as net_effective_units
        from pods
        inner join hosts on hosts.line_item_id = pods.pod_line_item_id
        where not pods.has_instance
    ),

    parts as (
        select
            *,
            unnest(
                case
                    when line_item_id is null
                    then ['used']
                    when unused_split_cost <> 0 or coalesce(net_unused_split_cost, 0) <> 0
                    then ['used', 'unused']
                    else ['used']
                end
            ) as split_part
        from placed
    ),

    costed as (
        select
            *,
            case split_part when 'used' then used_split_cost else unused_split_cost end as part,
            case split_part when 'used' then net_used_split_cost else net_unused_split_cost end as net_part
        from parts
    ),

    taken as (
        select
            -- Include the instance line item's file and row, since every file of a delivery has a row 1.
            pod_line_item_id || case
                when has_instance and line_item_id is not null
                then '/' || split_part(line_item_id, '/', -2) || '/' || split_part(line_item_id, '/', -1)
                else ''
            end
            || case split_part when 'unused' then '/unused' else '' end as charge_id,
            usage_date,
            pod_source_name,
            pod_delivery,
            pod_landed_file,
            pod_landed_row,
            pod_line_item_id,
            x_source_name,
            delivery,
            x_landed_file,
            x_landed_row,
            line_item_id as instance_line_item_id,
            split_part,
            -- The quantity is reported once, however many parts the pod has.
            split_part = 'used'
            and row_number() over (partition by pod_line_item_id, split_part order by line_item_id)
            = 1 as has_quantity,
            commitment_discount_id,
            commitment_discount_status,
            {%- for column in cost_columns() %}
                {%- if column == "x_net_effective_cost" %}
                    {%- set part = "coalesce(net_part, part)" %}
                    {%- set whole = "case when net_part is null then effective_units else net_effective_units end" %}
                {%- else %} {%- set part, whole = "part", "effective_units" %}
                {%- endif %}
                coalesce(
                    {{
                        money(
                            "divide("
                            ~ money_units(column)
                            ~ " * "
                            ~ money_units(part)
                            ~ ", nullif("
                            ~ whole
                            ~ ", 0))"
                        )
                    }},
                    0
                ) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from costed
    ),

    given_away as (
        select
            usage_date,
            x_source_name,
            delivery,
            x_landed_file,
            x_landed_row,
            instance_line_item_id,
            {{ sum_of_cost_columns() }}
        from taken
        where instance_line_item_id is not null
        group by all
    )

-- A line is identified by its place in the files: numbers and short texts join quickly.
select
    taken.usage_date,
    taken.pod_source_name as x_source_name,
    taken.pod_delivery as delivery,
    taken.pod_landed_file as x_landed_file,
    taken.pod_landed_row as x_landed_row,
    taken.pod_line_item_id as line_item_id,
    taken.charge_id,
    taken.split_part,
    taken.has_quantity,
    taken.commitment_discount_id,
    taken.commitment_discount_status,
    {%- for column in cost_columns() %}
        taken.{{ column }} - coalesce(own.{{ column }}, 0) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from taken
-- A task without an instance gives up its unused part itself.
left join
    given_away as own on own.instance_line_item_id = taken.pod_line_item_id and taken.split_part = 'used'
union all by name
select
    * exclude (instance_line_item_id) replace (
        {%- for column in cost_columns() %}
            -{{ column }} as {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    ),
    instance_line_item_id as line_item_id,
    instance_line_item_id as charge_id,
    'remainder' as split_part,
    true as has_quantity
from given_away
where instance_line_item_id not in (select pod_line_item_id from taken)
