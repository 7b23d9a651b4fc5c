-- Landing keeps a row whenever a snapshot differs from the previous one; here each becomes a version with
-- its validity. A version is valid from the first snapshot that has it, and a resource's first version from
-- its creation date; if that is unknown, from the last snapshot that lacked the resource, or from the
-- beginning.
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

    -- A resource with two spellings is one resource.
    source as (
        select *
        from landed
        qualify
            row_number() over (partition by resource_id, observed_at order by is_present desc, resource_name)
            = 1
    ),

    ordered as ({{ ordered_versions("source", "resource_id") }}),

    versions as (
        select
            *,
            not was_present as is_first,
            case
                when was_present
                then observed_at
                else
                    greatest(
                        least(
                            coalesce(
                                created_at::date::timestamp,
                                absent_at::date::timestamp,
                                timestamp '1970-01-01'
                            ),
                            observed_at
                        ),
                        coalesce(previous_at, timestamp '1970-01-01')
                    )
            end as valid_from
        from ordered
        where is_present
    ),

    -- Bills spell ids differently by service, and inconsistently: an instance by id, a NAT gateway by id or
    -- ARN. If two resources claim a spelling, it belongs to the one whose own id it is. One row per
    -- spelling, so charges join by equality.
    spellings as (
        select spelling, min_by(resource_id, (spelling <> resource_id, resource_id)) as resource_id
        from
            (
                select
                    resource_id,
                    unnest(list_distinct([resource_id, coalesce(resource_arn, resource_id)])) as spelling
                from versions
            )
        group by spelling
    )

select
    spellings.spelling as resource_id,
    versions.resource_arn,
    versions.resource_type,
    versions.account_id,
    versions.region_id,
    nfc_normalize(versions.resource_name) as resource_name,
    {{ with_tag_keys("versions.tags") }} as tags,
    {{ with_tag_keys("versions.attributes") }} as attributes,
    versions.relationships,
    versions.is_first,
    versions.valid_from,
    versions.valid_to
from versions
inner join spellings using (resource_id)
