-- Net columns are there only with a discount programme, but a bill that has them leaves them empty in some of
-- its rows: whether a bill's costs are net of its discounts is a fact of the bill, not of the row.
select distinct source_name as x_source_name, delivery
from {{ source("landing", "aws_cur_charges") }}
where line_item_net_unblended_cost is not null and {{ in_changed_deliveries("aws_cur") }}
