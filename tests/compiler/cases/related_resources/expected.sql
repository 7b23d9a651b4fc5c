-- Generated from the contexts; edit those, not this file.

WITH resource_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['tag feature'] AS _resource_tag_feature,
    facts['attached_to > attribute instancetype'] AS _attached_to__attribute_instancetype,
    facts['attached_to > tag feature'] AS _attached_to__tag_feature,
    facts['attached_to > member_of > type'] AS _attached_to__member_of__type,
    facts['attached_to > member_of > tag feature'] AS _attached_to__member_of__tag_feature,
    facts['attached_to > routes_for > id'] AS _attached_to__routes_for__id,
    facts['beside > id'] AS _beside__id,
    facts['next_to > next_to > next_to > name'] AS _next_to__next_to__next_to__name
  FROM {{ ref('resource_facts') }}
), charges AS (
  SELECT
    charges.*,
    resource_facts.*
    EXCLUDE (resource_id, begins_from, begins_before, lasts_from, lasts_before)
  FROM {{ ref('charges') }} AS charges
  LEFT JOIN resource_facts
    ON resource_facts.resource_id = charges.resource_id
    AND charges.charge_period_start >= resource_facts.begins_from
    AND charges.charge_period_start < resource_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= resource_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < resource_facts.lasts_before
), values_1 AS (
  SELECT
    *,
    coalesce(_resource_tag_feature, _attached_to__tag_feature, _attached_to__member_of__tag_feature) AS _from_feature_1 /* contexts/dimensions/feature.yml:4 */
  FROM charges
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN NOT _from_feature_1 IS NULL THEN 1 /* contexts/dimensions/feature.yml:4 */
      WHEN _attached_to__routes_for__id = 'vpc-1' THEN 2 /* contexts/dimensions/feature.yml:5 */
      WHEN _attached_to__member_of__type = 'eks:cluster' AND NOT _attached_to__attribute_instancetype IS NULL
      THEN 3 /* contexts/dimensions/feature.yml:7 */
      WHEN _next_to__next_to__next_to__name = 'ring-1' THEN 4 /* contexts/dimensions/feature.yml:12 */
      WHEN NOT _beside__id IS NULL THEN 5 /* contexts/dimensions/feature.yml:14 */
      ELSE NULL
    END AS SMALLINT) AS feature_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN feature_rule = 1 THEN _from_feature_1
      WHEN feature_rule = 2 THEN 'Network'
      WHEN feature_rule = 3 THEN 'Clustered'
      WHEN feature_rule = 4 THEN 'Round and round'
      WHEN feature_rule = 5 THEN 'Beside something'
      ELSE NULL
    END AS TEXT) AS feature
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
  feature,
  feature_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
