-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['tier'], '') AS _tag_tier
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN (
        service_name = 'EC2' OR service_name = 'RDS'
      )
      AND starts_with(region_id, 'eu-')
      AND NOT coalesce(_tag_tier = 'test', FALSE)
      THEN 1 /* contexts/dimensions/place.yml:5 */
      ELSE 0
    END AS SMALLINT) AS place_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN place_rule = 1 THEN 'inside' WHEN place_rule = 0 THEN 'outside' ELSE NULL END AS TEXT) AS place
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
  place,
  place_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
