{{ config(meta={"dagster": {"ref": {"name": "reconciliation"}}}) }}
-- Law: at every hop, per billing period, day, currency and cost column, the parts sum to the whole.
select *
from {{ ref("reconciliation") }}
where difference <> 0
