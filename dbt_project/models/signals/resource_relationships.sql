-- A relationship that is unchanged over several versions of its resource is one row.
with
    versions as (
        select resource_id, unnest(relationships) as relation, is_first, valid_from, valid_to
        from {{ ref("resources") }}
        where len(relationships) > 0
    ),

    related as (
        select
            resource_id,
            relation.relationship,
            relation.related_resource_id,
            -- Relationships in the first snapshot can be newer than the resource.
            case
                when is_first
                then
                    least(
                        greatest(valid_from, coalesce(relation.since::date::timestamp, valid_from)),
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

    stretches as (
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
from stretches
group by resource_id, relationship, related_resource_id, stretch
