select account_id, account_name, organizational_unit_path, tags, valid_from, valid_to
from {{ ref("stg_accounts__account_versions") }}
