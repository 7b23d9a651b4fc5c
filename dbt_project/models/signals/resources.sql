-- One row for each spelling of a resource's id, so that a charge finds it by plain equality.
select
    spellings.spelling as resource_id,
    versions.resource_arn,
    versions.resource_type,
    versions.account_id,
    versions.region_id,
    versions.resource_name,
    versions.tags,
    versions.attributes,
    versions.valid_from,
    versions.valid_to
from {{ ref("stg_inventory__resource_versions") }} as versions
inner join {{ ref("stg_inventory__spellings") }} as spellings using (resource_id)
