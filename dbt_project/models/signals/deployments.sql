select deployed_at, service, version, environment, link, description
from {{ source("landing", "deployments") }}
