-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['owner'], '') AS _tag_owner,
    nullif(charges.tags['team'], '') AS _tag_team,
    nullif(charges.cost_categories['team'], '') AS _cost_category_team
  FROM {{ ref('charges') }} AS charges
), values_1 AS (
  SELECT
    *,
    coalesce(_tag_team, _tag_owner, _cost_category_team) AS _from_team_1, /* contexts/dimensions/team.yml:5 */
    nullif(resource_name, '') AS _from_team_2 /* contexts/dimensions/team.yml:6 */
  FROM charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN NOT _from_team_1 IS NULL THEN 1 /* contexts/dimensions/team.yml:5 */
      WHEN provider_name = 'AWS' AND NOT _from_team_2 IS NULL THEN 2 /* contexts/dimensions/team.yml:6 */
      ELSE 0
    END AS SMALLINT) AS team_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN team_rule = 1 THEN _from_team_1
      WHEN team_rule = 2 THEN _from_team_2
      WHEN team_rule = 0 THEN 'nobody'
      ELSE NULL
    END AS TEXT) AS team
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
  team,
  team_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
