-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    *
  FROM {{ ref('charges') }}
), charges_with_keys AS (
  SELECT
    *,
    nullif(tags['app'], '') AS _tag_app
  FROM charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN _tag_app = 'shared-gateway' AND usage_date >= CAST('2026-07-01' AS DATE)
      THEN 1 /* contexts/dimensions/feature.yml:4 */
      WHEN _tag_app = 'monitoring'
      THEN 2 /* contexts/dimensions/feature.yml:7 */
      WHEN _tag_app = 'router'
      AND usage_date IN (
        SELECT
          usage_date
        FROM {{ ref('split_shares') }}
        WHERE
          split_id = 'feature 1addce78c326'
      )
      THEN 3 /* contexts/dimensions/feature.yml:10 */
      WHEN _tag_app = 'cache'
      AND usage_date IN (
        SELECT
          usage_date
        FROM {{ ref('split_shares') }}
        WHERE
          split_id = 'feature 342ea961fadd'
      )
      THEN 4 /* contexts/dimensions/feature.yml:13 */
      WHEN _tag_app = 'cache'
      THEN 5 /* contexts/dimensions/feature.yml:16 */
      ELSE NULL
    END AS SMALLINT) AS feature_rule
  FROM charges_with_keys
), feature_split AS (
  SELECT
    CAST(rule_position AS SMALLINT) AS rule_position,
    CAST(usage_date AS DATE) AS usage_date,
    CAST(part AS INT) AS part,
    CAST(element AS TEXT) AS element,
    CAST(share_units AS INT128) AS share_units,
    CAST(total_units AS INT128) AS total_units,
    CAST(other_units AS INT128[]) AS other_units
  FROM (VALUES
    (1, NULL, 1, 'Ingest', 400000, 1000000, NULL),
    (1, NULL, 2, 'Search', 600000, 1000000, [400000]),
    (2, NULL, 1, 'Alerts', 1, 3, [1, 1]),
    (2, NULL, 2, 'Ingest', 1, 3, NULL),
    (2, NULL, 3, 'Search', 1, 3, NULL)) AS listed(rule_position, usage_date, part, element, share_units, total_units, other_units)
  UNION ALL
  SELECT
    3 AS rule_position,
    usage_date,
    part,
    element,
    share_units,
    total_units,
    other_units
  FROM {{ ref('split_shares') }}
  WHERE
    split_id = 'feature 1addce78c326'
  UNION ALL
  SELECT
    4 AS rule_position,
    usage_date,
    part,
    element,
    share_units,
    total_units,
    other_units
  FROM {{ ref('split_shares') }}
  WHERE
    split_id = 'feature 342ea961fadd'
), feature_parts AS (
  SELECT
    rules_1.*,
    feature_split.part AS _split_feature_part,
    feature_split.element AS _split_feature_element,
    feature_split.share_units AS _split_feature_share,
    feature_split.total_units AS _split_feature_total,
    feature_split.other_units AS _split_feature_others
  FROM rules_1
  LEFT JOIN feature_split
    ON feature_split.rule_position = rules_1.feature_rule
    AND feature_split.usage_date IS NOT DISTINCT FROM CASE WHEN rules_1.feature_rule IN (3, 4) THEN rules_1.usage_date END
), elements_1 AS (
  SELECT
    *,
    CAST(CASE feature_rule
      WHEN 1
      THEN _split_feature_element
      WHEN 2
      THEN _split_feature_element
      WHEN 3
      THEN _split_feature_element
      WHEN 4
      THEN _split_feature_element
      WHEN 5
      THEN 'Shared'
      ELSE NULL
    END AS TEXT) AS feature
  FROM feature_parts
), rules_2 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature = 'Search'
      THEN 1 /* contexts/dimensions/team.yml:4 */
      WHEN feature = 'Ingest'
      THEN 2 /* contexts/dimensions/team.yml:6 */
      ELSE NULL
    END AS SMALLINT) AS team_rule
  FROM elements_1
), team_split AS (
  SELECT
    CAST(rule_position AS SMALLINT) AS rule_position,
    CAST(usage_date AS DATE) AS usage_date,
    CAST(part AS INT) AS part,
    CAST(element AS TEXT) AS element,
    CAST(share_units AS INT128) AS share_units,
    CAST(total_units AS INT128) AS total_units,
    CAST(other_units AS INT128[]) AS other_units
  FROM (VALUES
    (1, NULL, 1, 'Index', 500000, 1000000, [500000]),
    (1, NULL, 2, 'Query', 500000, 1000000, NULL)) AS listed(rule_position, usage_date, part, element, share_units, total_units, other_units)
), team_parts AS (
  SELECT
    rules_2.*,
    team_split.part AS _split_team_part,
    team_split.element AS _split_team_element,
    team_split.share_units AS _split_team_share,
    team_split.total_units AS _split_team_total,
    team_split.other_units AS _split_team_others
  FROM rules_2
  LEFT JOIN team_split
    ON team_split.rule_position = rules_2.team_rule
), elements_2 AS (
  SELECT
    *,
    CAST(CASE team_rule WHEN 1 THEN _split_team_element WHEN 2 THEN 'Data' ELSE NULL END AS TEXT) AS team
  FROM team_parts
), allocation_positions AS (
  SELECT
    *,
    TRUE AS cost_of_goods_sold,
    CAST(NULL AS SMALLINT) AS _allocation_rule
  FROM elements_2
), feature_units AS (
  SELECT
    *,
    CASE WHEN NOT _split_feature_total IS NULL THEN CAST(consumed_quantity * 1000000000000 AS INT128) END AS _consumed_quantity_of_feature,
    CASE WHEN NOT _split_feature_total IS NULL THEN CAST(billed_cost * 1000000000000 AS INT128) END AS _billed_cost_of_feature,
    CASE WHEN NOT _split_feature_total IS NULL THEN CAST(effective_cost * 1000000000000 AS INT128) END AS _effective_cost_of_feature,
    CASE WHEN NOT _split_feature_total IS NULL THEN CAST(contracted_cost * 1000000000000 AS INT128) END AS _contracted_cost_of_feature,
    CASE WHEN NOT _split_feature_total IS NULL THEN CAST(list_cost * 1000000000000 AS INT128) END AS _list_cost_of_feature,
    CASE
      WHEN NOT _split_feature_total IS NULL
      THEN CAST(x_net_effective_cost * 1000000000000 AS INT128)
    END AS _x_net_effective_cost_of_feature,
    CASE
      WHEN NOT _split_feature_total IS NULL
      THEN CAST(CAST(1 AS DECIMAL(38, 12)) * 1000000000000 AS INT128)
    END AS _charge_share_of_feature
  FROM allocation_positions
), feature_part_units AS (
  SELECT
    *
    REPLACE (CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_consumed_quantity_of_feature, _split_feature_total) * _split_feature_share + divide(_consumed_quantity_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _consumed_quantity_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_consumed_quantity_of_feature, _split_feature_total) * share + divide(_consumed_quantity_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _consumed_quantity_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_billed_cost_of_feature, _split_feature_total) * _split_feature_share + divide(_billed_cost_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _billed_cost_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_billed_cost_of_feature, _split_feature_total) * share + divide(_billed_cost_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _billed_cost_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_effective_cost_of_feature, _split_feature_total) * _split_feature_share + divide(_effective_cost_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _effective_cost_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_effective_cost_of_feature, _split_feature_total) * share + divide(_effective_cost_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _effective_cost_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_contracted_cost_of_feature, _split_feature_total) * _split_feature_share + divide(_contracted_cost_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _contracted_cost_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_contracted_cost_of_feature, _split_feature_total) * share + divide(_contracted_cost_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _contracted_cost_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_list_cost_of_feature, _split_feature_total) * _split_feature_share + divide(_list_cost_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _list_cost_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_list_cost_of_feature, _split_feature_total) * share + divide(_list_cost_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _list_cost_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_x_net_effective_cost_of_feature, _split_feature_total) * _split_feature_share + divide(_x_net_effective_cost_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _x_net_effective_cost_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_x_net_effective_cost_of_feature, _split_feature_total) * share + divide(_x_net_effective_cost_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _x_net_effective_cost_of_feature, CASE
      WHEN _split_feature_others IS NULL
      THEN divide(_charge_share_of_feature, _split_feature_total) * _split_feature_share + divide(_charge_share_of_feature % _split_feature_total * _split_feature_share, _split_feature_total)
      ELSE _charge_share_of_feature - coalesce(
        list_sum(
          list_transform(
            _split_feature_others,
            LAMBDA share : divide(_charge_share_of_feature, _split_feature_total) * share + divide(_charge_share_of_feature % _split_feature_total * share, _split_feature_total)
          )
        ),
        0
      )
    END AS _charge_share_of_feature)
  FROM feature_units
), feature_costs AS (
  SELECT
    *,
    coalesce(
      CAST(CAST(_consumed_quantity_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      consumed_quantity
    ) AS _part_consumed_quantity,
    coalesce(CAST(CAST(_billed_cost_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)), billed_cost) AS _part_billed_cost,
    coalesce(
      CAST(CAST(_effective_cost_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      effective_cost
    ) AS _part_effective_cost,
    coalesce(
      CAST(CAST(_contracted_cost_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      contracted_cost
    ) AS _part_contracted_cost,
    coalesce(CAST(CAST(_list_cost_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)), list_cost) AS _part_list_cost,
    coalesce(
      CAST(CAST(_x_net_effective_cost_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      x_net_effective_cost
    ) AS _part_x_net_effective_cost,
    coalesce(
      CAST(CAST(_charge_share_of_feature AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      CAST(1 AS DECIMAL(38, 12))
    ) AS _part_charge_share
  FROM feature_part_units
), team_units AS (
  SELECT
    *,
    CASE
      WHEN NOT _split_team_total IS NULL
      THEN CAST(_part_consumed_quantity * 1000000000000 AS INT128)
    END AS _consumed_quantity_of_team,
    CASE WHEN NOT _split_team_total IS NULL THEN CAST(_part_billed_cost * 1000000000000 AS INT128) END AS _billed_cost_of_team,
    CASE WHEN NOT _split_team_total IS NULL THEN CAST(_part_effective_cost * 1000000000000 AS INT128) END AS _effective_cost_of_team,
    CASE WHEN NOT _split_team_total IS NULL THEN CAST(_part_contracted_cost * 1000000000000 AS INT128) END AS _contracted_cost_of_team,
    CASE WHEN NOT _split_team_total IS NULL THEN CAST(_part_list_cost * 1000000000000 AS INT128) END AS _list_cost_of_team,
    CASE
      WHEN NOT _split_team_total IS NULL
      THEN CAST(_part_x_net_effective_cost * 1000000000000 AS INT128)
    END AS _x_net_effective_cost_of_team,
    CASE WHEN NOT _split_team_total IS NULL THEN CAST(_part_charge_share * 1000000000000 AS INT128) END AS _charge_share_of_team
  FROM feature_costs
), team_part_units AS (
  SELECT
    *
    REPLACE (CASE
      WHEN _split_team_others IS NULL
      THEN divide(_consumed_quantity_of_team, _split_team_total) * _split_team_share + divide(_consumed_quantity_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _consumed_quantity_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_consumed_quantity_of_team, _split_team_total) * share + divide(_consumed_quantity_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _consumed_quantity_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_billed_cost_of_team, _split_team_total) * _split_team_share + divide(_billed_cost_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _billed_cost_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_billed_cost_of_team, _split_team_total) * share + divide(_billed_cost_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _billed_cost_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_effective_cost_of_team, _split_team_total) * _split_team_share + divide(_effective_cost_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _effective_cost_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_effective_cost_of_team, _split_team_total) * share + divide(_effective_cost_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _effective_cost_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_contracted_cost_of_team, _split_team_total) * _split_team_share + divide(_contracted_cost_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _contracted_cost_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_contracted_cost_of_team, _split_team_total) * share + divide(_contracted_cost_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _contracted_cost_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_list_cost_of_team, _split_team_total) * _split_team_share + divide(_list_cost_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _list_cost_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_list_cost_of_team, _split_team_total) * share + divide(_list_cost_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _list_cost_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_x_net_effective_cost_of_team, _split_team_total) * _split_team_share + divide(_x_net_effective_cost_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _x_net_effective_cost_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_x_net_effective_cost_of_team, _split_team_total) * share + divide(_x_net_effective_cost_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _x_net_effective_cost_of_team, CASE
      WHEN _split_team_others IS NULL
      THEN divide(_charge_share_of_team, _split_team_total) * _split_team_share + divide(_charge_share_of_team % _split_team_total * _split_team_share, _split_team_total)
      ELSE _charge_share_of_team - coalesce(
        list_sum(
          list_transform(
            _split_team_others,
            LAMBDA share : divide(_charge_share_of_team, _split_team_total) * share + divide(_charge_share_of_team % _split_team_total * share, _split_team_total)
          )
        ),
        0
      )
    END AS _charge_share_of_team)
  FROM team_units
), team_costs AS (
  SELECT
    *
    REPLACE (coalesce(
      CAST(CAST(_consumed_quantity_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_consumed_quantity
    ) AS _part_consumed_quantity, coalesce(
      CAST(CAST(_billed_cost_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_billed_cost
    ) AS _part_billed_cost, coalesce(
      CAST(CAST(_effective_cost_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_effective_cost
    ) AS _part_effective_cost, coalesce(
      CAST(CAST(_contracted_cost_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_contracted_cost
    ) AS _part_contracted_cost, coalesce(CAST(CAST(_list_cost_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)), _part_list_cost) AS _part_list_cost, coalesce(
      CAST(CAST(_x_net_effective_cost_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_x_net_effective_cost
    ) AS _part_x_net_effective_cost, coalesce(
      CAST(CAST(_charge_share_of_team AS DECIMAL(38, 0)) * 0.000000000001 AS DECIMAL(38, 12)),
      _part_charge_share
    ) AS _part_charge_share)
  FROM team_part_units
)
SELECT
  charge_id,
  CAST(coalesce(_split_feature_part, 0) AS BIGINT) * 3 + coalesce(_split_team_part, 0) AS charge_part,
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
FROM team_costs
