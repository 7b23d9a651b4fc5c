-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN service_name = 'Amazon EC2' THEN 1 /* contexts/dimensions/matched.yml:4 */
      WHEN service_name IN ('Amazon S3', 'Amazon RDS') THEN 2 /* contexts/dimensions/matched.yml:6 */
      WHEN starts_with(service_name, 'AWS') THEN 3 /* contexts/dimensions/matched.yml:8 */
      WHEN ends_with(service_name, 'Transfer') THEN 4 /* contexts/dimensions/matched.yml:10 */
      WHEN contains(service_name, 'DNS') THEN 5 /* contexts/dimensions/matched.yml:12 */
      WHEN service_name <> '' AND regexp_matches(service_name, '^Kinesis [0-9]+$') THEN 6 /* contexts/dimensions/matched.yml:14 */
      WHEN resource_id <> '' THEN 7 /* contexts/dimensions/matched.yml:16 */
      WHEN region_id <> '' AND NOT region_id = 'us-east-1' THEN 8 /* contexts/dimensions/matched.yml:18 */
      WHEN charge_category <> '' AND NOT charge_category IN ('Usage', 'Purchase') THEN 9 /* contexts/dimensions/matched.yml:20 */
      WHEN NOT coalesce(sku_id <> '', FALSE) THEN 10 /* contexts/dimensions/matched.yml:22 */
      ELSE NULL
    END AS SMALLINT) AS matched_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN matched_rule = 1 THEN 'equals'
      WHEN matched_rule = 2 THEN 'in'
      WHEN matched_rule = 3 THEN 'starts with'
      WHEN matched_rule = 4 THEN 'ends with'
      WHEN matched_rule = 5 THEN 'contains'
      WHEN matched_rule = 6 THEN 'matches'
      WHEN matched_rule = 7 THEN 'exists'
      WHEN matched_rule = 8 THEN 'not equals'
      WHEN matched_rule = 9 THEN 'not in'
      WHEN matched_rule = 10 THEN 'exists not'
      ELSE NULL
    END AS TEXT) AS matched
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
  matched,
  matched_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
