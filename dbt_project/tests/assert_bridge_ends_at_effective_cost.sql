-- Over a billing period, billed cost plus the causes of the bridge equals effective cost, to the last
-- digit.
select
    billing_month,
    x_source_name,
    billing_currency,
    sum(case when cause = 'effective cost' then amount else 0 end) as effective_cost,
    sum(case when cause <> 'effective cost' then amount else 0 end) as billed_cost_and_causes
from {{ ref("cost_bridge") }}
group by all
having effective_cost <> billed_cost_and_causes
