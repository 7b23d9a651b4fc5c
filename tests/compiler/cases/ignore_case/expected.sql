-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['environment'], '') AS _tag_environment
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN lower(_tag_environment) = 'prod' THEN 1 /* contexts/dimensions/stage.yml:4 */
      WHEN lower(_tag_environment) IN ('live', lower('ÄLTER')) THEN 2 /* contexts/dimensions/stage.yml:6 */
      WHEN starts_with(lower(_tag_environment), 'pre-') THEN 3 /* contexts/dimensions/stage.yml:8 */
      WHEN ends_with(lower(_tag_environment), 'staging') THEN 4 /* contexts/dimensions/stage.yml:10 */
      WHEN contains(lower(_tag_environment), 'sandbox') THEN 5 /* contexts/dimensions/stage.yml:12 */
      WHEN regexp_matches(_tag_environment, '(?i)^dev[0-9]+$') THEN 6 /* contexts/dimensions/stage.yml:14 */
      WHEN NOT lower(_tag_environment) = 'test' THEN 7 /* contexts/dimensions/stage.yml:16 */
      ELSE NULL
    END AS SMALLINT) AS stage_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN stage_rule = 1 THEN 'equals'
      WHEN stage_rule = 2 THEN 'in'
      WHEN stage_rule = 3 THEN 'starts with'
      WHEN stage_rule = 4 THEN 'ends with'
      WHEN stage_rule = 5 THEN 'contains'
      WHEN stage_rule = 6 THEN 'matches'
      WHEN stage_rule = 7 THEN 'not equals'
      ELSE NULL
    END AS TEXT) AS stage
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
  stage,
  stage_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
