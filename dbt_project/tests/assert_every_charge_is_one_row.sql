{{ config(meta={"dagster": {"ref": {"name": "charges"}}}) }}
-- Law: a charge is one row, with a day, a currency and FOCUS' words for what it is. In one scan, as charges
-- are a view.
select
    charge_id,
    count(*) as row_count,
    min(usage_date) as usage_date,
    min(billing_currency) as billing_currency,
    min(charge_category) as charge_category,
    min(x_split_part) as x_split_part
from {{ ref("charges") }}
group by charge_id
having
    count(*) > 1
    or charge_id is null
    or bool_or(usage_date is null)
    or bool_or(billing_currency is null)
    or bool_or(charge_category not in ('{{ charge_categories() | join("', '") }}'))
    or bool_or(x_split_part not in ('used', 'unused', 'remainder'))
