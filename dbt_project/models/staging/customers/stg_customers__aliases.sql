-- Open-ended validity gets a sentinel date, for comparisons.
with
    aliases as (
        select customer_id, unnest(aliases, recursive := true) from {{ source("landing", "customers") }}
    )

select
    alias,
    customer_id,
    coalesce(valid_from, cast('0001-01-01' as date)) as valid_from,
    coalesce(valid_to, cast('9999-12-31' as date)) as valid_to
from aliases
