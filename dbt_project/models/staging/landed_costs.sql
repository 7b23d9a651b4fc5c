{%- set focus_formulas = {
    "billed_cost": focus_billed_cost(),
    "effective_cost": focus_effective_cost(),
    "contracted_cost": focus_contracted_cost(),
    "list_cost": focus_list_cost(),
} %}
-- Landed cost by day, and the sums of the delivered files. Reconciliation starts here.
with
    aws_cur_lines as (
        select *, {{ aws_has_net_costs() }} as has_net_costs from {{ source("landing", "aws_cur_charges") }}
    ),

    aws_cur_costs as (
        select
            source_name as x_source_name,
            billing_period,
            line_item_currency_code as billing_currency,
            usage_date,
            count(*) as line_count,
            sum({{ aws_billed_cost() }}) as billed_cost,
            -- Pod and task lines repeat what their instances bill.
            sum(coalesce(line_item_unblended_cost, 0))
            - sum({{ aws_billed_cost() }}) as billed_again_for_pods,
            sum(
                case when not {{ aws_is_split() }} then {{ aws_effective_cost() }} else 0 end
            ) as effective_cost,
            sum({{ aws_contracted_cost() }}) as contracted_cost,
            sum({{ aws_list_cost() }}) as list_cost,
            sum(
                case when not {{ aws_is_split() }} then {{ aws_effective_cost(net=true) }} else 0 end
            ) as x_net_effective_cost
        from aws_cur_lines
        group by all
    ),

    focus_costs as (
        select
            source_name as x_source_name,
            billing_period,
            billing_currency,
            usage_date,
            count(*) as line_count,
            {%- for column, formula in focus_formulas.items() %}
                sum({{ formula }}) as {{ column }},
                sum({{ formula }} - coalesce({{ column }}, 0)) as {{ column }}_beside_the_file,
            {%- endfor %}
            sum({{ focus_effective_cost() }}) as x_net_effective_cost,
            0 as billed_again_for_pods
        from {{ source("landing", "focus_charges") }}
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
            {%- for column in focus_formulas %}
                , sum({{ column }}_beside_the_file) as {{ column }}_beside_the_file
            {%- endfor %}
        from costs
        group by all
    )

-- Full join: a day that was delivered but not landed has no landed cost and shows as a difference.
select
    coalesce(landed.x_source_name, delivered.x_source_name) as x_source_name,
    coalesce(landed.billing_period, delivered.billing_period) as billing_period,
    coalesce(landed.billing_currency, delivered.billing_currency) as billing_currency,
    coalesce(landed.usage_date, delivered.usage_date) as usage_date,
    landed.line_count,
    landed.billed_cost,
    landed.effective_cost,
    landed.contracted_cost,
    landed.list_cost,
    landed.x_net_effective_cost,
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
full join
    delivered
    on delivered.x_source_name = landed.x_source_name
    and delivered.billing_period = landed.billing_period
    and delivered.billing_currency = landed.billing_currency
    and delivered.usage_date = landed.usage_date
