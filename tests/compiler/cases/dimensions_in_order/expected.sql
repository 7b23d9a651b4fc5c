-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['app'], '') AS _tag_app,
    nullif(charges.tags['environment'], '') AS _tag_environment
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE WHEN starts_with(_tag_app, 'search-') THEN 1 /* contexts/dimensions/feature.yml:4 */ ELSE NULL END AS SMALLINT) AS feature_rule,
    CAST(CASE WHEN _tag_environment = 'prod' THEN 1 /* contexts/dimensions/z_first.yml:5 */ ELSE 0 END AS SMALLINT) AS z_first_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN feature_rule = 1 THEN 'Search' ELSE NULL END AS TEXT) AS feature,
    CAST(CASE WHEN z_first_rule = 1 THEN 'yes' WHEN z_first_rule = 0 THEN 'no' ELSE NULL END AS TEXT) AS z_first
  FROM rules_1
), rules_2 AS (
  SELECT
    *,
    CAST(CASE WHEN z_first = 'yes' THEN 1 /* contexts/dimensions/environment.yml:5 */ ELSE 0 END AS SMALLINT) AS environment_rule
  FROM elements_1
), elements_2 AS (
  SELECT
    *,
    CAST(CASE
      WHEN environment_rule = 1 THEN 'production'
      WHEN environment_rule = 0 THEN 'development'
      ELSE NULL
    END AS TEXT) AS environment
  FROM rules_2
), values_3 AS (
  SELECT
    *,
    feature AS _from_a_summary_2 /* contexts/dimensions/a_summary.yml:9 */
  FROM elements_2
), rules_3 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature = 'Search' AND environment = 'production' THEN 1 /* contexts/dimensions/a_summary.yml:4 */
      WHEN NOT _from_a_summary_2 IS NULL THEN 2 /* contexts/dimensions/a_summary.yml:9 */
      ELSE NULL
    END AS SMALLINT) AS a_summary_rule
  FROM values_3
), elements_3 AS (
  SELECT
    *,
    CAST(CASE
      WHEN a_summary_rule = 1 THEN 'Search in production'
      WHEN a_summary_rule = 2 THEN _from_a_summary_2
      ELSE NULL
    END AS TEXT) AS a_summary
  FROM rules_3
), allocation_positions AS (
  SELECT
    *,
    TRUE AS cost_of_goods_sold,
    CAST(NULL AS SMALLINT) AS _allocation_rule
  FROM elements_3
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
  a_summary,
  a_summary_rule,
  environment,
  environment_rule,
  feature,
  feature_rule,
  z_first,
  z_first_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
