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
      WHEN _tag_app = 'shared-gateway' AND usage_date >= CAST('2026-07-01' AS DATE) THEN 1 /* contexts/dimensions/feature.yml:4 */
      WHEN _tag_app = 'monitoring' THEN 2 /* contexts/dimensions/feature.yml:7 */
      WHEN _tag_app = 'router'
      AND usage_date IN (
        SELECT
          usage_date
        FROM {{ ref('split_parts') }}
        WHERE
          dimension = 'feature' AND rule_position = 3
      )
      THEN 3 /* contexts/dimensions/feature.yml:10 */
      WHEN _tag_app = 'cache'
      AND usage_date IN (
        SELECT
          usage_date
        FROM {{ ref('split_parts') }}
        WHERE
          dimension = 'feature' AND rule_position = 4
      )
      THEN 4 /* contexts/dimensions/feature.yml:13 */
      WHEN _tag_app = 'cache' THEN 5 /* contexts/dimensions/feature.yml:16 */
      ELSE NULL
    END AS SMALLINT) AS feature_rule
  FROM charges
), split_by_feature AS (
  SELECT
    rules_1.*,
    feature_parts.part AS _feature_part,
    feature_parts.element AS _feature_element,
    feature_parts.share_before AS _feature_before,
    feature_parts.share_through AS _feature_through
  FROM rules_1
  LEFT JOIN {{ ref('split_parts') }} AS feature_parts
    ON feature_parts.dimension = 'feature'
    AND feature_parts.rule_position = rules_1.feature_rule
    AND feature_parts.usage_date IS NOT DISTINCT FROM CASE WHEN rules_1.feature_rule IN (3, 4) THEN rules_1.usage_date END
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature_rule IN (1, 2, 3, 4) THEN _feature_element
      WHEN feature_rule = 5 THEN 'Shared'
      ELSE NULL
    END AS TEXT) AS feature
  FROM split_by_feature
), rules_2 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature = 'Search' THEN 1 /* contexts/dimensions/team.yml:4 */
      WHEN feature = 'Ingest' THEN 2 /* contexts/dimensions/team.yml:6 */
      ELSE NULL
    END AS SMALLINT) AS team_rule
  FROM elements_1
), split_by_team AS (
  SELECT
    rules_2.*,
    team_parts.part AS _team_part,
    team_parts.element AS _team_element,
    team_parts.share_before AS _team_before,
    team_parts.share_through AS _team_through
  FROM rules_2
  LEFT JOIN {{ ref('split_parts') }} AS team_parts
    ON team_parts.dimension = 'team'
    AND team_parts.rule_position = rules_2.team_rule
    AND team_parts.usage_date IS NOT DISTINCT FROM NULL
), elements_2 AS (
  SELECT
    *,
    CAST(CASE WHEN team_rule = 1 THEN _team_element WHEN team_rule = 2 THEN 'Data' ELSE NULL END AS TEXT) AS team
  FROM split_by_team
), allocation_positions AS (
  SELECT
    *,
    TRUE AS cost_of_goods_sold,
    CAST(NULL AS SMALLINT) AS _allocation_rule
  FROM elements_2
), costs_by_feature AS (
  SELECT
    *,
    CASE
      WHEN _feature_before IS NULL THEN consumed_quantity
      ELSE CAST(consumed_quantity * _feature_through AS DECIMAL(38, 12)) - CAST(consumed_quantity * _feature_before AS DECIMAL(38, 12))
    END AS _part_consumed_quantity,
    CASE
      WHEN _feature_before IS NULL THEN billed_cost
      ELSE CAST(billed_cost * _feature_through AS DECIMAL(38, 12)) - CAST(billed_cost * _feature_before AS DECIMAL(38, 12))
    END AS _part_billed_cost,
    CASE
      WHEN _feature_before IS NULL THEN effective_cost
      ELSE CAST(effective_cost * _feature_through AS DECIMAL(38, 12)) - CAST(effective_cost * _feature_before AS DECIMAL(38, 12))
    END AS _part_effective_cost,
    CASE
      WHEN _feature_before IS NULL THEN contracted_cost
      ELSE CAST(contracted_cost * _feature_through AS DECIMAL(38, 12)) - CAST(contracted_cost * _feature_before AS DECIMAL(38, 12))
    END AS _part_contracted_cost,
    CASE
      WHEN _feature_before IS NULL THEN list_cost
      ELSE CAST(list_cost * _feature_through AS DECIMAL(38, 12)) - CAST(list_cost * _feature_before AS DECIMAL(38, 12))
    END AS _part_list_cost,
    CASE
      WHEN _feature_before IS NULL THEN x_net_effective_cost
      ELSE CAST(x_net_effective_cost * _feature_through AS DECIMAL(38, 12)) - CAST(x_net_effective_cost * _feature_before AS DECIMAL(38, 12))
    END AS _part_x_net_effective_cost,
    CASE
      WHEN _feature_before IS NULL THEN CAST(1 AS DECIMAL(38, 12))
      ELSE CAST(CAST(1 AS DECIMAL(38, 12)) * _feature_through AS DECIMAL(38, 12)) - CAST(CAST(1 AS DECIMAL(38, 12)) * _feature_before AS DECIMAL(38, 12))
    END AS _part_charge_share
  FROM allocation_positions
), costs_by_team AS (
  SELECT
    *
    REPLACE (CASE
      WHEN _team_before IS NULL THEN _part_consumed_quantity
      ELSE CAST(_part_consumed_quantity * _team_through AS DECIMAL(38, 12)) - CAST(_part_consumed_quantity * _team_before AS DECIMAL(38, 12))
    END AS _part_consumed_quantity, CASE
      WHEN _team_before IS NULL THEN _part_billed_cost
      ELSE CAST(_part_billed_cost * _team_through AS DECIMAL(38, 12)) - CAST(_part_billed_cost * _team_before AS DECIMAL(38, 12))
    END AS _part_billed_cost, CASE
      WHEN _team_before IS NULL THEN _part_effective_cost
      ELSE CAST(_part_effective_cost * _team_through AS DECIMAL(38, 12)) - CAST(_part_effective_cost * _team_before AS DECIMAL(38, 12))
    END AS _part_effective_cost, CASE
      WHEN _team_before IS NULL THEN _part_contracted_cost
      ELSE CAST(_part_contracted_cost * _team_through AS DECIMAL(38, 12)) - CAST(_part_contracted_cost * _team_before AS DECIMAL(38, 12))
    END AS _part_contracted_cost, CASE
      WHEN _team_before IS NULL THEN _part_list_cost
      ELSE CAST(_part_list_cost * _team_through AS DECIMAL(38, 12)) - CAST(_part_list_cost * _team_before AS DECIMAL(38, 12))
    END AS _part_list_cost, CASE
      WHEN _team_before IS NULL THEN _part_x_net_effective_cost
      ELSE CAST(_part_x_net_effective_cost * _team_through AS DECIMAL(38, 12)) - CAST(_part_x_net_effective_cost * _team_before AS DECIMAL(38, 12))
    END AS _part_x_net_effective_cost, CASE
      WHEN _team_before IS NULL THEN _part_charge_share
      ELSE CAST(_part_charge_share * _team_through AS DECIMAL(38, 12)) - CAST(_part_charge_share * _team_before AS DECIMAL(38, 12))
    END AS _part_charge_share)
  FROM costs_by_feature
)
SELECT
  charge_id,
  CAST(coalesce(_feature_part, 0) AS BIGINT) * 3 + coalesce(_team_part, 0) AS charge_part,
  _part_charge_share AS charge_share,
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
  _part_consumed_quantity AS consumed_quantity,
  _part_billed_cost AS billed_cost,
  _part_effective_cost AS effective_cost,
  _part_contracted_cost AS contracted_cost,
  _part_list_cost AS list_cost,
  _part_x_net_effective_cost AS x_net_effective_cost,
  feature,
  feature_rule,
  team,
  team_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM costs_by_team
