select customer_id, customer_name, segment, plan, aliases from {{ source("landing", "customers") }}
