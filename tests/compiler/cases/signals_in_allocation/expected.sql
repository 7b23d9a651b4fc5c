-- Generated from the contexts; edit those, not this file.

WITH account_versions AS (
  SELECT
    account_id,
    valid_from,
    least(
      coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP)),
      lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER versions
    ) AS valid_to,
    least(
      lag(coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP)), 1, CAST('0001-01-01' AS TIMESTAMP)) OVER versions,
      valid_from
    ) AS known_before,
    nullif(tags['purpose'], '') AS _account_tag_purpose
  FROM {{ ref('accounts') }}
  WHERE
    valid_from < coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP))
  WINDOW versions AS (PARTITION BY account_id ORDER BY valid_from)
), resource_versions AS (
  SELECT
    resource_id,
    valid_from,
    least(
      coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP)),
      lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER versions
    ) AS valid_to,
    least(
      lag(coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP)), 1, CAST('0001-01-01' AS TIMESTAMP)) OVER versions,
      valid_from
    ) AS known_before,
    nullif(resource_type, '') AS _resource_type,
    nullif(tags['customer'], '') AS _resource_tag_customer,
    nullif(resource_name, '') AS _resource_name
  FROM {{ ref('resources') }}
  WHERE
    valid_from < coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP))
  WINDOW versions AS (PARTITION BY resource_id ORDER BY valid_from)
), relationships AS (
  SELECT
    resource_id,
    relationship,
    related_resource_id,
    valid_from,
    coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP)) AS valid_to
  FROM {{ ref('resource_relationships') }}
  WHERE
    relationship IN ('attached_to', 'routes_for')
), via_attached_to AS (
  SELECT
    resource_id,
    related_resource_id,
    valid_from,
    valid_to
  FROM relationships
  WHERE
    relationship = 'attached_to'
), via_routes_for AS (
  SELECT
    resource_id,
    related_resource_id,
    valid_from,
    valid_to
  FROM relationships
  WHERE
    relationship = 'routes_for'
), found_attached_to AS (
  SELECT
    walked.resource_id,
    greatest(walked.valid_from, resource_versions.valid_from) AS valid_from,
    least(walked.valid_to, resource_versions.valid_to) AS valid_to,
    resource_versions._resource_tag_customer
  FROM via_attached_to AS walked
  JOIN resource_versions
    ON walked.related_resource_id = resource_versions.resource_id
    AND walked.valid_from < resource_versions.valid_to
    AND resource_versions.valid_from < walked.valid_to
), moments_attached_to AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM found_attached_to
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM found_attached_to
  ) AS moment
), agreed_attached_to AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE
      WHEN min(found._resource_tag_customer) = max(found._resource_tag_customer)
      THEN min(found._resource_tag_customer)
    END AS _attached_to__tag_customer
  FROM moments_attached_to AS moments
  JOIN found_attached_to AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), found_routes_for AS (
  SELECT
    walked.resource_id,
    greatest(walked.valid_from, resource_versions.valid_from) AS valid_from,
    least(walked.valid_to, resource_versions.valid_to) AS valid_to,
    resource_versions._resource_name
  FROM via_routes_for AS walked
  JOIN resource_versions
    ON walked.related_resource_id = resource_versions.resource_id
    AND walked.valid_from < resource_versions.valid_to
    AND resource_versions.valid_from < walked.valid_to
), moments_routes_for AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM found_routes_for
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM found_routes_for
  ) AS moment
), agreed_routes_for AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE WHEN min(found._resource_name) = max(found._resource_name) THEN min(found._resource_name) END AS _routes_for__name
  FROM moments_routes_for AS moments
  JOIN found_routes_for AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), charges AS (
  SELECT
    *
  FROM {{ ref('charges') }}
), charges_with_keys AS (
  SELECT
    *,
    nullif(x_kubernetes_labels['tenant'], '') AS _label_tenant
  FROM charges
), charges_with_signals AS (
  SELECT
    charges.*,
    account_versions._account_tag_purpose,
    resource_versions._resource_type,
    agreed_attached_to._attached_to__tag_customer,
    agreed_routes_for._routes_for__name
  FROM charges_with_keys AS charges
  LEFT JOIN account_versions
    ON charges.sub_account_id = account_versions.account_id
    AND charges.charge_period_start >= account_versions.known_before
    AND charges.charge_period_start < account_versions.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= account_versions.valid_from
  LEFT JOIN resource_versions
    ON charges.resource_id = resource_versions.resource_id
    AND charges.charge_period_start >= resource_versions.known_before
    AND charges.charge_period_start < resource_versions.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= resource_versions.valid_from
  LEFT JOIN agreed_attached_to
    ON charges.resource_id = agreed_attached_to.resource_id
    AND charges.charge_period_start >= agreed_attached_to.known_before
    AND charges.charge_period_start < agreed_attached_to.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= agreed_attached_to.valid_from
  LEFT JOIN agreed_routes_for
    ON charges.resource_id = agreed_routes_for.resource_id
    AND charges.charge_period_start >= agreed_routes_for.known_before
    AND charges.charge_period_start < agreed_routes_for.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= agreed_routes_for.valid_from
), rules_1 AS (
  SELECT
    *,
    CAST(CASE WHEN TRUE THEN 1 /* contexts/dimensions/feature.yml:4 */ ELSE NULL END AS SMALLINT) AS feature_rule
  FROM charges_with_signals
), elements_1 AS (
  SELECT
    *,
    CAST(CASE feature_rule WHEN 1 THEN 'Search' ELSE NULL END AS TEXT) AS feature
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
      WHEN _resource_type = 'ec2:volume' AND NOT _to_1 IS NULL
      THEN 1 /* contexts/allocation.yml:4 */
      WHEN _routes_for__name = 'main'
      THEN 2 /* contexts/allocation.yml:7 */
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
