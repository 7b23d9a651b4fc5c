-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['app'], '') AS _tag_app
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN _tag_app IN ('search-api', 'search-indexer') THEN 1 /* contexts/dimensions/feature.yml:5 */
      WHEN starts_with(_tag_app, 'search-') THEN 2 /* contexts/dimensions/feature.yml:7 */
      ELSE 0
    END AS SMALLINT) AS feature_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature_rule = 1 THEN 'Search'
      WHEN feature_rule = 2 THEN 'Search beta'
      WHEN feature_rule = 0 THEN 'Shared'
      ELSE NULL
    END AS TEXT) AS feature
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
  feature,
  feature_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
