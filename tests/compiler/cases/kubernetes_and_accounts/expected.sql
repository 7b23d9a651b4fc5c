-- Generated from the contexts; edit those, not this file.

WITH account_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['account_name'] AS _account_name
  FROM {{ ref('account_facts') }}
), charges AS (
  SELECT
    charges.*,
    account_facts.*
    EXCLUDE (account_id, begins_from, begins_before, lasts_from, lasts_before)
    REPLACE (coalesce(nullif(charges.sub_account_name, ''), account_facts._account_name) AS _account_name)
  FROM {{ ref('charges') }} AS charges
  LEFT JOIN account_facts
    ON account_facts.account_id = charges.sub_account_id
    AND charges.charge_period_start >= account_facts.begins_from
    AND charges.charge_period_start < account_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= account_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < account_facts.lasts_before
), values_1 AS (
  SELECT
    *,
    _account_name AS _from_owner_4 /* contexts/dimensions/owner.yml:16 */
  FROM charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN x_kubernetes_cluster = 'main' AND starts_with(x_kubernetes_namespace, 'search-')
      THEN 1 /* contexts/dimensions/owner.yml:4 */
      WHEN lower(x_kubernetes_workload_type) = 'daemonset' AND x_kubernetes_workload <> ''
      THEN 2 /* contexts/dimensions/owner.yml:9 */
      WHEN sub_account_id = '011254002932' THEN 3 /* contexts/dimensions/owner.yml:14 */
      WHEN NOT _from_owner_4 IS NULL THEN 4 /* contexts/dimensions/owner.yml:16 */
      ELSE NULL
    END AS SMALLINT) AS owner_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN owner_rule = 1 THEN 'search'
      WHEN owner_rule = 2 THEN 'platform'
      WHEN owner_rule = 3 THEN 'data'
      WHEN owner_rule = 4 THEN _from_owner_4
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
