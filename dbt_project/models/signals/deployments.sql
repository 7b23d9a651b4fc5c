select deployed_at, service, version, environment, link, description
from {{ ref("stg_deployments__deployments") }}
