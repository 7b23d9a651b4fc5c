-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['app'], '') AS _tag_app,
    nullif(charges.tags['itsakey'], '') AS _tag_itsakey
  FROM {{ ref('charges') }} AS charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN _tag_app = '''; drop table charges; --' THEN 1 /* contexts/dimensions/injected.yml:5 */
      WHEN _tag_app IN ('two
lines	and a tab', '$$; select 1; $$')
      THEN 2 /* contexts/dimensions/injected.yml:7 */
      WHEN starts_with(_tag_app, '{ {x} } %') THEN 3 /* contexts/dimensions/injected.yml:9 */
      WHEN contains(_tag_app, '字 🚀') THEN 4 /* contexts/dimensions/injected.yml:11 */
      WHEN regexp_matches(_tag_app, '\\''') THEN 5 /* contexts/dimensions/injected.yml:13 */
      WHEN NOT _tag_itsakey IS NULL THEN 6 /* contexts/dimensions/injected.yml:15 */
      ELSE 0
    END AS SMALLINT) AS injected_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN injected_rule = 1 THEN 'it''s "quoted" \ and /* not */ a comment'
      WHEN injected_rule = 2 THEN 'line one
line two'
      WHEN injected_rule = 3 THEN 'braces }} %} #}'
      WHEN injected_rule = 4 THEN 'naïve 🚀'
      WHEN injected_rule = 5 THEN 'backslash'
      WHEN injected_rule = 6 THEN 'key'
      WHEN injected_rule = 0 THEN ''' or 1=1 --'
      ELSE NULL
    END AS TEXT) AS injected
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
  injected,
  injected_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
