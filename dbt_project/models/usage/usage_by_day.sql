select usage_date, stream, customer_id, filter, sum(usage_quantity) as usage_quantity
from {{ ref("usage_by_period") }}
group by all
