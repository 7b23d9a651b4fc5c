-- Landing keeps a row whenever a snapshot says something else of a resource than the one before it; here each
-- becomes a version with its validity. AWS tells days and snapshots, not seconds: a version counts from the
-- first snapshot that has it, and a resource's first version from the day of its creation; without one, from
-- the day of the last snapshot that did not have it, or from the beginning.
with
    source as (select * from {{ source("landing", "resource_versions") }}),

    ordered as (
        select
            *,
            lag(observed_at) over versions as previous_at,
            coalesce(lag(is_present) over versions, false) as was_present,
            lead(observed_at) over versions as valid_to
        from source
        window versions as (partition by resource_id order by observed_at)
    )

select
    resource_id,
    resource_arn,
    resource_type,
    account_id,
    region_id,
    resource_name,
    {{ with_tag_keys("tags") }} as tags,
    attributes,
    relationships,
    not was_present as is_first,
    case
        when was_present
        then observed_at
        else
            greatest(
                least(
                    coalesce(
                        {{ day_begin("created_at") }}, {{ day_begin("absent_at") }}, {{ the_beginning() }}
                    ),
                    observed_at
                ),
                coalesce(previous_at, {{ the_beginning() }})
            )
    end as valid_from,
    valid_to
from ordered
where is_present
