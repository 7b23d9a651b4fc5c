select
    customer_id,
    customer_name,
    segment,
    plan,
    array_to_string(
        list_transform(
            aliases,
            lambda given:given.alias || case
                when given.valid_from is not null or given.valid_to is not null
                then concat(' ', given.valid_from, '..', given.valid_to)
                else ''
            end
        ),
        '; '
    ) as aliases
from {{ source("landing", "customers") }}
