{{ config(meta={"dagster": {"ref": {"name": "charges"}}}) }}
-- Law: a charge is one row with a currency and FOCUS categories. Only charges of bill lines that can have
-- several are checked one by one; for the others, their number must not exceed that of the lines.
{%- set of_a_line_of_several %}
    (x_split_part is not null or x_spread_from is not null or commitment_discount_status is not distinct from 'Unused')
{%- endset %}
with
    repeated as (
        select charge_id, count(*) as row_count
        from {{ ref("charges") }}
        where
            {{ of_a_line_of_several }}
            and usage_date
            in (select usage_date from {{ ref("staged_costs") }} where {{ of_a_line_of_several }})
        group by charge_id
        having count(*) > 1 or charge_id is null
    ),

    whole_lines as (
        select usage_date, x_source_name, billing_period, billing_currency, sum(charge_count) as charges
        from {{ ref("staged_costs") }}
        where not {{ of_a_line_of_several }}
        group by all
    )

select 'more than one row' as problem, charge_id as subject, row_count as found
from repeated
union all
select
    'more charges than lines on ' || usage_date,
    concat_ws(' ', x_source_name, billing_period, billing_currency),
    charges - coalesce(lines.line_count, 0)
from whole_lines
left join
    {{ ref("landed_costs") }} as lines using (usage_date, x_source_name, billing_period, billing_currency)
where charges > coalesce(lines.line_count, 0)
union all
select
    'words on ' || usage_date, concat_ws(' ', billing_currency, charge_category, x_split_part), charge_count
from {{ ref("staged_costs") }}
where
    billing_currency is null
    or charge_category not in ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')
    or x_split_part not in ('used', 'unused', 'remainder')
