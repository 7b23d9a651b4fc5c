-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['awseksclustername'], '') AS _tag_awseksclustername,
    nullif(charges.tags['costcenter'], '') AS _tag_costcenter,
    nullif(charges.tags['usergroup'], '') AS _tag_usergroup,
    nullif(charges.cost_categories['productline'], '') AS _cost_category_productline
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN NOT _tag_costcenter IS NULL AND _tag_costcenter = '7' AND _tag_costcenter = '7'
      THEN 1 /* contexts/dimensions/centre.yml:4 */
      WHEN NOT _tag_usergroup IS NULL THEN 2 /* contexts/dimensions/centre.yml:6 */
      WHEN _tag_awseksclustername = 'main' THEN 3 /* contexts/dimensions/centre.yml:8 */
      WHEN _cost_category_productline = 'A' THEN 4 /* contexts/dimensions/centre.yml:10 */
      ELSE NULL
    END AS SMALLINT) AS centre_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN centre_rule = 1 THEN 'cut from the export''s name'
      WHEN centre_rule = 2 THEN 'a tag that begins with user'
      WHEN centre_rule = 3 THEN 'a tag of AWS'
      WHEN centre_rule = 4 THEN 'a cost category'
      ELSE NULL
    END AS TEXT) AS centre
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
  centre,
  centre_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
