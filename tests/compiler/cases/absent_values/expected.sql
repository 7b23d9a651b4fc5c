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
      WHEN NOT coalesce(_tag_app = 'api' OR service_name = 'A', FALSE) THEN 1 /* contexts/dimensions/opposite.yml:4 */
      ELSE NULL
    END AS SMALLINT) AS opposite_rule,
    CAST(CASE
      WHEN NOT _tag_app = 'api' THEN 1 /* contexts/dimensions/told.yml:4 */
      WHEN service_name <> '' AND NOT service_name IN ('A', 'B') THEN 2 /* contexts/dimensions/told.yml:6 */
      WHEN service_name <> '' AND regexp_matches(service_name, '.*') THEN 3 /* contexts/dimensions/told.yml:8 */
      ELSE NULL
    END AS SMALLINT) AS told_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN opposite_rule = 1 THEN 'is not api' ELSE NULL END AS TEXT) AS opposite,
    CAST(CASE
      WHEN told_rule = 1 THEN 'differs'
      WHEN told_rule = 2 THEN 'is none of them'
      WHEN told_rule = 3 THEN 'matches anything'
      ELSE NULL
    END AS TEXT) AS told
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
  opposite,
  opposite_rule,
  told,
  told_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
