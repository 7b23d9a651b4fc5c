{%- set columns = cost_columns() + ["consumed_quantity"] %}
-- Charges for a node's running hours, divided among its pods and the idle part by OpenCost's shares; the
-- parts sum to the charge.
with
    -- Not materialized: without an OpenCost export, almost nothing is read.
    bill as not materialized({{ billed_charges() }}),

    shares as (select * from {{ ref("stg_opencost__node_shares") }} where weight > 0),

    -- The bill's own split cost rows are more accurate: such nodes are not divided again.
    divided_by_bill as (
        select distinct x_split_parent_id, usage_date
        from bill
        where x_split_parent_id in (select instance_id from shares)
    ),

    nodes as (
        select
            bill.charge_id,
            bill.x_source_name,
            bill.delivery,
            bill.x_landed_file,
            bill.x_landed_row,
            bill.charge_category,
            bill.usage_date,
            bill.resource_id as instance_id,
            bill.charge_period_start,
            bill.charge_period_end,
            {%- for column in columns %} bill.{{ column }}{{ "," if not loop.last }} {%- endfor %}
        from bill
        where
            bill.resource_id in (select instance_id from shares)
            and bill.x_split_parent_id is null
            and bill.charge_category = 'Usage'
            and (
                bill.x_usage_type like '%BoxUsage%'
                or bill.x_usage_type like '%SpotUsage%'
                or bill.x_usage_type like '%HeavyUsage%'
                or bill.x_usage_type like '%DedicatedUsage%'
            )
            and (bill.resource_id, bill.usage_date)
            not in (select (x_split_parent_id, usage_date) from divided_by_bill)
    ),

    -- A charge uses the shortest window that contains it, or else all windows within it.
    windows as (
        select
            nodes.charge_id,
            seen.window_start,
            seen.window_end,
            seen.window_start <= nodes.charge_period_start
            and seen.window_end >= nodes.charge_period_end as holds_the_charge
        from nodes
        inner join
            (select distinct instance_id, window_start, window_end from shares) as seen
            on seen.instance_id = nodes.instance_id
            and (
                seen.window_start <= nodes.charge_period_start
                and seen.window_end >= nodes.charge_period_end
                or seen.window_start >= nodes.charge_period_start
                and seen.window_end <= nodes.charge_period_end
            )
    ),

    chosen as (
        select charge_id, window_start, window_end
        from windows
        qualify
            not bool_or(holds_the_charge) over (partition by charge_id)
            or holds_the_charge
            and row_number() over (
                partition by charge_id
                order by holds_the_charge desc, date_diff('second', window_start, window_end), window_start
            )
            = 1
    ),

    weights as (
        select
            nodes.charge_id,
            shares.cluster,
            shares.namespace,
            shares.controller_kind,
            shares.controller,
            shares.pod,
            shares.is_idle,
            max_by(shares.labels, (shares.window_start, shares.weight)) as labels,
            sum(shares.weight) as quantity
        from nodes
        inner join chosen on chosen.charge_id = nodes.charge_id
        inner join
            shares
            on shares.instance_id = nodes.instance_id
            and shares.window_start = chosen.window_start
            and shares.window_end = chosen.window_end
        group by all
    ),

    weighted_parts as (
        select
            *,
            row_number() over (
                partition by charge_id
                order by quantity desc, is_idle, cluster, namespace, controller_kind, controller, pod
            ) as part
        from weights
    ),

    part_shares as ({{ shares_of_quantities("weighted_parts", ["charge_id"], "part") }}),

    running as (
        select
            charge_id,
            part,
            cast(1000000000000 * share as hugeint) as share_units,
            cast(
                1000000000000 * sum(share) over (partition by charge_id order by part) as hugeint
            ) as units_until
        from part_shares
    )

select
    nodes.usage_date,
    nodes.x_source_name,
    nodes.delivery,
    nodes.x_landed_file,
    nodes.x_landed_row,
    nodes.charge_category,
    charge_id as whole_charge_id,
    charge_id || '/pod-' || part as part_charge_id,
    cluster as part_cluster,
    namespace as part_namespace,
    controller_kind as part_workload_type,
    controller as part_workload,
    pod as part_pod,
    labels as part_labels,
    is_idle as part_is_idle,
    {%- for column in columns %}
        {{
            part_of_amount(
                "nodes." ~ column,
                "running.units_until - running.share_units",
                "running.units_until",
                1000000000000,
            )
        }} as part_{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from weighted_parts
inner join running using (charge_id, part)
inner join nodes using (charge_id)
