-- Generated from the contexts; edit those, not this file.

WITH account_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['organizational_unit_path'] AS _account_organizational_unit_path,
    facts['tag owner'] AS _account_tag_owner
  FROM {{ ref('account_facts') }}
), resource_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['attribute instanceclass'] AS _resource_attribute_instanceclass,
    facts['region_id'] AS _resource_region_id,
    facts['name'] AS _resource_name,
    facts['type'] AS _resource_type,
    facts['tag owner'] AS _resource_tag_owner
  FROM {{ ref('resource_facts') }}
), charges AS (
  SELECT
    charges.*,
    nullif(charges.x_kubernetes_labels['appkubernetesiopartof'], '') AS _label_appkubernetesiopartof,
    account_facts.*
    EXCLUDE (account_id, begins_from, begins_before, lasts_from, lasts_before),
    resource_facts.*
    EXCLUDE (resource_id, begins_from, begins_before, lasts_from, lasts_before)
  FROM {{ ref('charges') }} AS charges
  LEFT JOIN account_facts
    ON account_facts.account_id = charges.sub_account_id
    AND charges.charge_period_start >= account_facts.begins_from
    AND charges.charge_period_start < account_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= account_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < account_facts.lasts_before
  LEFT JOIN resource_facts
    ON resource_facts.resource_id = charges.resource_id
    AND charges.charge_period_start >= resource_facts.begins_from
    AND charges.charge_period_start < resource_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= resource_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < resource_facts.lasts_before
), values_1 AS (
  SELECT
    *,
    nullif(lower(coalesce(_resource_tag_owner, _label_appkubernetesiopartof, _account_tag_owner)), '') AS _from_owner_3 /* contexts/dimensions/owner.yml:11 */
  FROM charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN _resource_type IN ('rds:db', 'rds:cluster')
      AND starts_with(_resource_attribute_instanceclass, 'db.r')
      THEN 1 /* contexts/dimensions/owner.yml:4 */
      WHEN NOT _resource_region_id = 'eu-west-1' THEN 2 /* contexts/dimensions/owner.yml:9 */
      WHEN NOT _from_owner_3 IS NULL THEN 3 /* contexts/dimensions/owner.yml:11 */
      WHEN starts_with(_account_organizational_unit_path, 'Root/Sandbox') THEN 4 /* contexts/dimensions/owner.yml:13 */
      WHEN NOT _resource_name IS NULL THEN 5 /* contexts/dimensions/owner.yml:15 */
      ELSE NULL
    END AS SMALLINT) AS owner_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN owner_rule = 1 THEN 'database'
      WHEN owner_rule = 2 THEN 'elsewhere'
      WHEN owner_rule = 3 THEN _from_owner_3
      WHEN owner_rule = 4 THEN 'sandbox'
      WHEN owner_rule = 5 THEN 'named'
      ELSE NULL
    END AS TEXT) AS owner
  FROM rules_1
), allocation_positions AS (
  SELECT
    *,
    TRUE AS cost_of_goods_sold,
    CAST(NULL AS SMALLINT) AS _allocation_rule
  FROM elements_1
)
SELECT
  charge_id,
  CAST(0 AS BIGINT) AS charge_part,
  CAST(1 AS DECIMAL(38, 12)) AS charge_share,
  x_source_name,
  billing_period,
  billing_currency,
  provider_name,
  billing_account_id,
  sub_account_id,
  usage_date,
  charge_period_start,
  charge_period_end,
  charge_category,
  charge_class,
  service_name,
  service_category,
  x_line_item_type,
  region_id,
  resource_id,
  consumed_quantity,
  billed_cost,
  effective_cost,
  contracted_cost,
  list_cost,
  x_net_effective_cost,
  owner,
  owner_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
