-- Landed cost by day, and the sums of the delivered files. Reconciliation starts here.
with
    aws_cur_costs as (
        select
            source_name as x_source_name,
            billing_period,
            line_item_currency_code as billing_currency,
            usage_date,
            count(*) as line_count,
            -- Pod and task lines repeat what their instances bill.
            sum(coalesce(line_item_unblended_cost, 0)) - sum(billed_cost) as billed_again_for_pods,
            {{ sum_of_cost_columns() }}
        from {{ ref("stg_aws_cur__costs") }}
        group by all
    ),

    focus_costs as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            count(*) as line_count,
            {%- for column in ["billed_cost", "effective_cost", "contracted_cost", "list_cost"] %}
                sum({{ column }}) as {{ column }},
                sum({{ column }} - coalesce(given_{{ column }}, 0)) as {{ column }}_beside_the_file,
            {%- endfor %}
            sum(effective_cost) as x_net_effective_cost,
            0 as billed_again_for_pods
        from {{ ref("stg_focus__costs") }}
        group by all
    ),

    costs as (
        select *
        from aws_cur_costs
        union all by name
        select *
        from focus_costs
    ),

    delivered as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            sum(source_billed_cost) as source_billed_cost
            {%- for column in ["effective_cost", "contracted_cost", "list_cost"] %}
                ,
                case
                    when bool_and(family = 'focus' and source_amounts is not null)
                    then sum(coalesce(source_amounts['{{ column }}'], 0))
                end as source_{{ column }}
            {%- endfor %}
        from {{ source("landing", "billing_days") }}
        group by all
    ),

    landed as (
        select
            x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            sum(line_count) as line_count,
            {{ sum_of_cost_columns() }},
            sum(billed_again_for_pods) as billed_again_for_pods
            {%- for column in ["billed_cost", "effective_cost", "contracted_cost", "list_cost"] %}
                , sum({{ column }}_beside_the_file) as {{ column }}_beside_the_file
            {%- endfor %}
        from costs
        group by all
    )

-- Full join: a day that was delivered but not landed has no landed cost and shows as a difference.
select
    x_source_name,
    billing_period,
    billing_currency,
    usage_date,
    landed.line_count,
    {%- for column in cost_columns() %} landed.{{ column }}, {%- endfor %}
    -- The file's sum includes pod and task rows, which repeat what their instances bill.
    cast(
        delivered.source_billed_cost - coalesce(landed.billed_again_for_pods, 0) as decimal(38, 12)
    ) as source_billed_cost,
    -- FOCUS files have every cost column; for AWS they are derived from landed_amounts. The file's sum is
    -- adjusted for values derived for missing costs, and for commitment fees counted as 0.
    {%- for column in ["effective_cost", "contracted_cost", "list_cost"] %}
        cast(
            delivered.source_{{ column }}
            + coalesce(landed.{{ column }}_beside_the_file, 0) as decimal(38, 12)
        ) as source_{{ column }}{{ "," if not loop.last }}
    {%- endfor %}
from landed
full join delivered using (x_source_name, billing_period, billing_currency, usage_date)
