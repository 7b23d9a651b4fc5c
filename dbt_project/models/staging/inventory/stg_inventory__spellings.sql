-- Bills spell ids differently by service, and not always alike: an instance by its id, a NAT gateway
-- by its id or its ARN. Should two resources claim one spelling, it is that of the resource whose own
-- id it is.
with
    claims as (
        select distinct
            resource_id, unnest(list_distinct([resource_id, coalesce(resource_arn, resource_id)])) as spelling
        from {{ ref("stg_inventory__resource_versions") }}
    )

select spelling, min_by(resource_id, (spelling <> resource_id, resource_id)) as resource_id
from claims
group by spelling
