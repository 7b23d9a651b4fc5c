-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN NOT (
        CAST(charge_period_start AS DATE) = CAST('2026-01-01' AS DATE)
        OR charge_period_start = CAST('2026-01-02 12:00:00' AS TIMESTAMP)
      )
      THEN 1 /* contexts/dimensions/shift.yml:4 */
      ELSE NULL
    END AS SMALLINT) AS shift_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN shift_rule = 1 THEN 'other' ELSE NULL END AS TEXT) AS shift
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
  shift,
  shift_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
