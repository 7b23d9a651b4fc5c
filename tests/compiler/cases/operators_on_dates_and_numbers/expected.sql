-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN CAST(usage_date AS DATE) < CAST('2026-02-01' AS DATE) THEN 1 /* contexts/dimensions/day_or_time.yml:4 */
      WHEN CAST(usage_date AS DATE) >= CAST('2026-02-01' AS DATE)
      AND CAST(usage_date AS DATE) <= CAST('2026-02-28' AS DATE)
      THEN 2 /* contexts/dimensions/day_or_time.yml:6 */
      WHEN CAST(usage_date AS DATE) > CAST('2026-03-31' AS DATE) THEN 3 /* contexts/dimensions/day_or_time.yml:8 */
      WHEN CAST(charge_period_start AS DATE) >= CAST('2026-05-01' AS DATE)
      AND CAST(charge_period_start AS DATE) <= CAST('2026-05-31' AS DATE)
      THEN 4 /* contexts/dimensions/day_or_time.yml:10 */
      WHEN CAST(charge_period_start AS DATE) = CAST('2026-07-01' AS DATE)
      OR charge_period_start = CAST('2026-06-01 12:00:00' AS TIMESTAMP)
      THEN 5 /* contexts/dimensions/day_or_time.yml:12 */
      WHEN effective_cost = CAST('0.000000000001' AS DECIMAL(38, 12)) THEN 6 /* contexts/dimensions/day_or_time.yml:14 */
      WHEN effective_cost >= CAST('-2' AS DECIMAL(38, 12)) AND effective_cost <= CAST('-0.5' AS DECIMAL(38, 12))
      THEN 7 /* contexts/dimensions/day_or_time.yml:16 */
      WHEN x_landed_row IN (7, 8) THEN 8 /* contexts/dimensions/day_or_time.yml:18 */
      ELSE NULL
    END AS SMALLINT) AS day_or_time_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN day_or_time_rule = 1 THEN 'before'
      WHEN day_or_time_rule = 2 THEN 'between'
      WHEN day_or_time_rule = 3 THEN 'after'
      WHEN day_or_time_rule = 4 THEN 'a time within days'
      WHEN day_or_time_rule = 5 THEN 'a time'
      WHEN day_or_time_rule = 6 THEN 'a small number'
      WHEN day_or_time_rule = 7 THEN 'a range of numbers'
      WHEN day_or_time_rule = 8 THEN 'a whole number'
      ELSE NULL
    END AS TEXT) AS day_or_time
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
  day_or_time,
  day_or_time_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
