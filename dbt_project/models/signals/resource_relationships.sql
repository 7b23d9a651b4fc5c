-- A relation that stays the same over several versions of its resource is one row.
with
    versions as (
        select
            spellings.spelling as resource_id,
            unnest(versions.relationships) as relation,
            versions.is_first,
            versions.valid_from,
            versions.valid_to
        from {{ ref("stg_inventory__resource_versions") }} as versions
        inner join {{ ref("stg_inventory__spellings") }} as spellings using (resource_id)
        where len(versions.relationships) > 0
    ),

    related as (
        select
            resource_id,
            relation.relationship,
            relation.related_resource_id,
            -- What the first snapshot shows may be younger than the resource.
            case
                when is_first
                then
                    least(
                        greatest(valid_from, coalesce({{ day_begin("relation.since") }}, valid_from)),
                        coalesce(valid_to, relation.since, valid_from)
                    )
                else valid_from
            end as valid_from,
            valid_to
        from versions
    ),

    marked as (
        select
            *,
            lag(valid_to) over (
                partition by resource_id, relationship, related_resource_id order by valid_from
            )
            is distinct from valid_from as begins
        from related
        where valid_to is null or valid_from < valid_to
    ),

    numbered as (
        select
            *,
            sum(begins::integer) over (
                partition by resource_id, relationship, related_resource_id order by valid_from
            ) as stretch
        from marked
    )

select
    resource_id,
    relationship,
    related_resource_id,
    min(valid_from) as valid_from,
    case when bool_or(valid_to is null) then null else max(valid_to) end as valid_to
from numbered
group by resource_id, relationship, related_resource_id, stretch
