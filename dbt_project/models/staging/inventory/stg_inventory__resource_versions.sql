-- Landing keeps a row whenever a snapshot says something else of a resource than the one before it; here each
-- becomes a version with its validity. AWS tells days and snapshots, not seconds: a version counts from the
-- first snapshot that has it, and a resource's first version from the day of its creation; without one, from
-- the day of the last snapshot that did not have it, or from the beginning.
with
    landed as (
        select
            * exclude (resource_id, resource_arn, relationships),
            {{ comparable_id("resource_id") }} as resource_id,
            {{ comparable_id("resource_arn") }} as resource_arn,
            list_transform(
                relationships,
                lambda related: {
                    'relationship':related.relationship,
                    'related_resource_id':{{ comparable_id("related.related_resource_id") }},
                    'since':related."since"
                }
            ) as relationships
        from {{ source("landing", "resource_versions") }}
    ),

    -- A resource that is spelled in two ways is one.
    source as (
        select *
        from landed
        qualify
            row_number() over (partition by resource_id, observed_at order by is_present desc, resource_name)
            = 1
    ),

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
    {{ with_tag_keys("attributes") }} as attributes,
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
