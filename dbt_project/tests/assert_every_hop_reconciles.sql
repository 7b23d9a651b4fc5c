{{ config(meta={"dagster": {"ref": {"name": "reconciliation"}}}) }}
-- Law: over every hop, billing period, day, currency and cost column, the parts are the whole.
select *
from {{ ref("reconciliation") }}
where difference <> 0
