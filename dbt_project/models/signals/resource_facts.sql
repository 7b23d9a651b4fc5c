-- Facts of a resource and its related resources, by start and end of a charge's period. A charge gets the
-- facts valid when its period starts, so last month's bill is matched with last month's tags; if there are
-- none yet, the first ones within the period (a resource created during a day that is billed as a whole). A
-- charge matches at most one row, whatever the signals contain.
with recursive
    facts_read as (select * from {{ ref("signal_facts") }} where signal = 'resource'),

    -- A resource's versions, without overlaps.
    versions as (
        select *
        from
            (
                select
                    * replace (
                        least(
                            coalesce(valid_to, timestamp '9999-12-31'),
                            lead(valid_from, 1, timestamp '9999-12-31') over (
                                partition by resource_id order by valid_from
                            )
                        ) as valid_to
                    )
                from {{ ref("resources") }}
                where valid_to is null or valid_from < valid_to
            )
        where valid_from < valid_to
    ),

    relationships as (
        select * replace (coalesce(valid_to, timestamp '9999-12-31') as valid_to)
        from {{ ref("resource_relationships") }}
    ),

    -- Where each path leads, relationship by relationship, and when. Cycles are followed only as far as the
    -- path.
    walks as (
        select
            relationships.resource_id,
            paths.path,
            1 as steps,
            relationships.related_resource_id,
            relationships.valid_from,
            relationships.valid_to
        from (select distinct path from facts_read) as paths
        inner join relationships on relationships.relationship = paths.path[1]
        union all
        select
            walks.resource_id,
            walks.path,
            walks.steps + 1,
            relationships.related_resource_id,
            greatest(walks.valid_from, relationships.valid_from),
            least(walks.valid_to, relationships.valid_to)
        from walks
        inner join
            relationships
            on relationships.resource_id = walks.related_resource_id
            and relationships.relationship = walks.path[walks.steps + 1]
            and relationships.valid_from < walks.valid_to
            and walks.valid_from < relationships.valid_to
    ),

    -- A related resource's id comes from the relationship, everything else from the inventory.
    found as (
        select []::varchar[] as path, true as is_in_inventory, *
        from versions
        union all by name
        select path, false as is_in_inventory, resource_id, related_resource_id, valid_from, valid_to
        from walks
        where steps = len(path)
        union all by name
        select
            walks.path,
            true as is_in_inventory,
            versions.* replace (
                walks.resource_id as resource_id,
                greatest(walks.valid_from, versions.valid_from) as valid_from,
                least(walks.valid_to, versions.valid_to) as valid_to
            )
        from walks
        inner join
            versions
            on versions.resource_id = walks.related_resource_id
            and walks.valid_from < versions.valid_to
            and versions.valid_from < walks.valid_to
        where walks.steps = len(walks.path)
    ),

    -- The timeline of each resource and path, split wherever anything starts or ends.
    stretches as (
        select
            *,
            lead(valid_from) over (
                partition by resource_id, path, is_in_inventory order by valid_from
            ) as valid_to
        from
            (
                select distinct
                    resource_id, path, is_in_inventory, unnest([valid_from, valid_to]) as valid_from
                from found
            )
    ),

    values_found as (
        select
            stretches.*,
            facts_read.fact,
            nullif(
                case
                    facts_read.field
                    when 'tags'
                    then found.tags[facts_read.key]
                    when 'attributes'
                    then found.attributes[facts_read.key]
                    when 'resource_id'
                    then coalesce(found.related_resource_id, found.resource_id)
                    when 'resource_arn'
                    then found.resource_arn
                    when 'resource_type'
                    then found.resource_type
                    when 'resource_name'
                    then found.resource_name
                    when 'account_id'
                    then found.account_id
                    when 'region_id'
                    then found.region_id
                end,
                ''
            ) as value
        from stretches
        inner join
            found
            on found.resource_id = stretches.resource_id
            and found.path = stretches.path
            and found.is_in_inventory = stretches.is_in_inventory
            and stretches.valid_from >= found.valid_from
            and stretches.valid_from < found.valid_to
        inner join
            facts_read
            on facts_read.path = stretches.path
            and (facts_read.field <> 'resource_id' or len(facts_read.path) = 0) = stretches.is_in_inventory
    ),

    -- The value on which all resources that have one agree; `known_before` is the end of the previous
    -- interval.
    agreed as (
        select
            resource_id,
            path,
            is_in_inventory,
            valid_from,
            valid_to,
            fact,
            case when min(value) = max(value) then min(value) end as value
        from values_found
        group by all
    ),

    facts_by_path as (
        select
            resource_id,
            valid_from,
            valid_to,
            map_from_entries(list({'key':fact, 'value':value} order by fact)) as facts,
            lag(valid_to, 1, timestamp '0001-01-01') over (
                partition by resource_id, path, is_in_inventory order by valid_from
            ) as known_before
        from agreed
        group by resource_id, path, is_in_inventory, valid_from, valid_to
    ),

    -- Between two of these moments, the start of a charge's period makes no difference.
    begins as (
        select *, lead(begins_from) over (partition by resource_id order by begins_from) as begins_before
        from
            (
                select distinct resource_id, unnest([known_before, valid_from, valid_to]) as begins_from
                from facts_by_path
            )
    ),

    met as (
        select
            begins.*,
            greatest(facts_by_path.valid_from, begins.begins_from) as lasts_from,
            facts_by_path.facts
        from begins
        inner join
            facts_by_path
            on facts_by_path.resource_id = begins.resource_id
            and facts_by_path.known_before <= begins.begins_from
            and begins.begins_from < facts_by_path.valid_to
    ),

    lasts as (
        select
            *,
            lead(lasts_from, 1, timestamp 'infinity') over (
                partition by resource_id, begins_from order by lasts_from
            ) as lasts_before
        from (select distinct resource_id, begins_from, begins_before, lasts_from from met)
    )

select lasts.*, map_from_entries(flatten(list(map_entries(met.facts)))) as facts
from lasts
inner join
    met
    on met.resource_id = lasts.resource_id
    and met.begins_from = lasts.begins_from
    and met.lasts_from <= lasts.lasts_from
group by all
