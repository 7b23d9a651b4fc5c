-- Generated from the contexts; edit those, not this file.

WITH account_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['tag purpose'] AS _account_tag_purpose
  FROM {{ ref('account_facts') }}
), resource_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['type'] AS _resource_type,
    facts['attached_to > tag customer'] AS _attached_to__tag_customer,
    facts['routes_for > name'] AS _routes_for__name
  FROM {{ ref('resource_facts') }}
), charges AS (
  SELECT
    charges.*,
    nullif(charges.x_kubernetes_labels['tenant'], '') AS _label_tenant,
    account_facts.*
    EXCLUDE (account_id, begins_from, begins_before, lasts_from, lasts_before),
    resource_facts.*
    EXCLUDE (resource_id, begins_from, begins_before, lasts_from, lasts_before)
  FROM {{ ref('charges') }} AS charges
  LEFT JOIN account_facts
    ON account_facts.account_id = charges.sub_account_id
    AND charges.charge_period_start >= account_facts.begins_from
    AND charges.charge_period_start < account_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= account_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < account_facts.lasts_before
  LEFT JOIN resource_facts
    ON resource_facts.resource_id = charges.resource_id
    AND charges.charge_period_start >= resource_facts.begins_from
    AND charges.charge_period_start < resource_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= resource_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < resource_facts.lasts_before
), rules_1 AS (
  SELECT
    *,
    CAST(CASE WHEN TRUE THEN 1 /* contexts/dimensions/feature.yml:4 */ ELSE NULL END AS SMALLINT) AS feature_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN feature_rule = 1 THEN 'Search' ELSE NULL END AS TEXT) AS feature
  FROM rules_1
), allocation_values AS (
  SELECT
    *,
    coalesce(_attached_to__tag_customer, _label_tenant) AS _to_1 /* contexts/allocation.yml:4 */
  FROM elements_1
), allocation_positions AS (
  SELECT
    *,
    coalesce(_account_tag_purpose = 'production', FALSE) AS cost_of_goods_sold,
    CAST(CASE
      WHEN _resource_type = 'ec2:volume' AND NOT _to_1 IS NULL THEN 1 /* contexts/allocation.yml:4 */
      WHEN _routes_for__name = 'main' THEN 2 /* contexts/allocation.yml:7 */
      ELSE NULL
    END AS SMALLINT) AS _allocation_rule
  FROM allocation_values
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
  CAST(CASE _allocation_rule WHEN 1 THEN 'own_volumes' WHEN 2 THEN 'network' ELSE NULL END AS TEXT) AS allocation_rule,
  CAST(CASE _allocation_rule WHEN 1 THEN _to_1 ELSE NULL END AS TEXT) AS direct_customer_id
FROM allocation_positions
