-- An account's first version is valid from the beginning, or from the last snapshot without it; see
-- resources.
with
    source as (
        select * exclude (account_id), {{ comparable_id("account_id") }} as account_id
        from {{ source("landing", "account_versions") }}
    ),

    ordered as ({{ ordered_versions("source", "account_id") }})

select
    account_id,
    nfc_normalize(account_name) as account_name,
    organizational_unit_path,
    {{ with_tag_keys("tags") }} as tags,
    case
        when was_present
        then observed_at
        else
            greatest(
                coalesce(absent_at::date::timestamp, timestamp '1970-01-01'),
                coalesce(previous_at, timestamp '1970-01-01')
            )
    end as valid_from,
    valid_to
from ordered
where is_present
