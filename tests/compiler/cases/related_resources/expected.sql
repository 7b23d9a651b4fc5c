-- Generated from the contexts; edit those, not this file.

WITH resource_versions AS (
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
    nullif(tags['feature'], '') AS _resource_tag_feature,
    nullif(attributes['instance_type'], '') AS _resource_attribute_instance_type,
    nullif(resource_type, '') AS _resource_type,
    nullif(resource_id, '') AS _resource_id,
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
    relationship IN ('attached_to', 'beside', 'member_of', 'next_to', 'routes_for')
), via_attached_to AS (
  SELECT
    resource_id,
    related_resource_id,
    valid_from,
    valid_to
  FROM relationships
  WHERE
    relationship = 'attached_to'
), via_attached_to__member_of AS (
  SELECT
    walked.resource_id,
    relationships.related_resource_id,
    greatest(walked.valid_from, relationships.valid_from) AS valid_from,
    least(walked.valid_to, relationships.valid_to) AS valid_to
  FROM via_attached_to AS walked
  JOIN relationships
    ON walked.related_resource_id = relationships.resource_id
    AND relationships.relationship = 'member_of'
    AND walked.valid_from < relationships.valid_to
    AND relationships.valid_from < walked.valid_to
), via_attached_to__routes_for AS (
  SELECT
    walked.resource_id,
    relationships.related_resource_id,
    greatest(walked.valid_from, relationships.valid_from) AS valid_from,
    least(walked.valid_to, relationships.valid_to) AS valid_to
  FROM via_attached_to AS walked
  JOIN relationships
    ON walked.related_resource_id = relationships.resource_id
    AND relationships.relationship = 'routes_for'
    AND walked.valid_from < relationships.valid_to
    AND relationships.valid_from < walked.valid_to
), via_beside AS (
  SELECT
    resource_id,
    related_resource_id,
    valid_from,
    valid_to
  FROM relationships
  WHERE
    relationship = 'beside'
), via_next_to AS (
  SELECT
    resource_id,
    related_resource_id,
    valid_from,
    valid_to
  FROM relationships
  WHERE
    relationship = 'next_to'
), via_next_to__next_to AS (
  SELECT
    walked.resource_id,
    relationships.related_resource_id,
    greatest(walked.valid_from, relationships.valid_from) AS valid_from,
    least(walked.valid_to, relationships.valid_to) AS valid_to
  FROM via_next_to AS walked
  JOIN relationships
    ON walked.related_resource_id = relationships.resource_id
    AND relationships.relationship = 'next_to'
    AND walked.valid_from < relationships.valid_to
    AND relationships.valid_from < walked.valid_to
), via_next_to__next_to__next_to AS (
  SELECT
    walked.resource_id,
    relationships.related_resource_id,
    greatest(walked.valid_from, relationships.valid_from) AS valid_from,
    least(walked.valid_to, relationships.valid_to) AS valid_to
  FROM via_next_to__next_to AS walked
  JOIN relationships
    ON walked.related_resource_id = relationships.resource_id
    AND relationships.relationship = 'next_to'
    AND walked.valid_from < relationships.valid_to
    AND relationships.valid_from < walked.valid_to
), found_attached_to AS (
  SELECT
    walked.resource_id,
    greatest(walked.valid_from, resource_versions.valid_from) AS valid_from,
    least(walked.valid_to, resource_versions.valid_to) AS valid_to,
    resource_versions._resource_attribute_instance_type,
    resource_versions._resource_tag_feature
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
      WHEN min(found._resource_attribute_instance_type) = max(found._resource_attribute_instance_type)
      THEN min(found._resource_attribute_instance_type)
    END AS _attached_to__attribute_instance_type,
    CASE
      WHEN min(found._resource_tag_feature) = max(found._resource_tag_feature)
      THEN min(found._resource_tag_feature)
    END AS _attached_to__tag_feature
  FROM moments_attached_to AS moments
  JOIN found_attached_to AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), found_attached_to__member_of AS (
  SELECT
    walked.resource_id,
    greatest(walked.valid_from, resource_versions.valid_from) AS valid_from,
    least(walked.valid_to, resource_versions.valid_to) AS valid_to,
    resource_versions._resource_type,
    resource_versions._resource_tag_feature
  FROM via_attached_to__member_of AS walked
  JOIN resource_versions
    ON walked.related_resource_id = resource_versions.resource_id
    AND walked.valid_from < resource_versions.valid_to
    AND resource_versions.valid_from < walked.valid_to
), moments_attached_to__member_of AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM found_attached_to__member_of
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM found_attached_to__member_of
  ) AS moment
), agreed_attached_to__member_of AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE WHEN min(found._resource_type) = max(found._resource_type) THEN min(found._resource_type) END AS _attached_to__member_of__type,
    CASE
      WHEN min(found._resource_tag_feature) = max(found._resource_tag_feature)
      THEN min(found._resource_tag_feature)
    END AS _attached_to__member_of__tag_feature
  FROM moments_attached_to__member_of AS moments
  JOIN found_attached_to__member_of AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), id_moments_attached_to__routes_for AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM via_attached_to__routes_for
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM via_attached_to__routes_for
  ) AS moment
), id_agreed_attached_to__routes_for AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE
      WHEN min(nullif(found.related_resource_id, '')) = max(nullif(found.related_resource_id, ''))
      THEN min(nullif(found.related_resource_id, ''))
    END AS _attached_to__routes_for__id
  FROM id_moments_attached_to__routes_for AS moments
  JOIN via_attached_to__routes_for AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), id_moments_beside AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM via_beside
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM via_beside
  ) AS moment
), id_agreed_beside AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE
      WHEN min(nullif(found.related_resource_id, '')) = max(nullif(found.related_resource_id, ''))
      THEN min(nullif(found.related_resource_id, ''))
    END AS _beside__id
  FROM id_moments_beside AS moments
  JOIN via_beside AS found
    ON moments.resource_id = found.resource_id
    AND moments.valid_from >= found.valid_from
    AND moments.valid_from < found.valid_to
  GROUP BY
    moments.resource_id,
    moments.valid_from,
    moments.valid_to
), found_next_to__next_to__next_to AS (
  SELECT
    walked.resource_id,
    greatest(walked.valid_from, resource_versions.valid_from) AS valid_from,
    least(walked.valid_to, resource_versions.valid_to) AS valid_to,
    resource_versions._resource_name
  FROM via_next_to__next_to__next_to AS walked
  JOIN resource_versions
    ON walked.related_resource_id = resource_versions.resource_id
    AND walked.valid_from < resource_versions.valid_to
    AND resource_versions.valid_from < walked.valid_to
), moments_next_to__next_to__next_to AS (
  SELECT
    resource_id,
    valid_from,
    lead(valid_from, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER (PARTITION BY resource_id ORDER BY valid_from) AS valid_to
  FROM (
    SELECT
      resource_id,
      valid_from
    FROM found_next_to__next_to__next_to
    UNION
    SELECT
      resource_id,
      valid_to AS valid_from
    FROM found_next_to__next_to__next_to
  ) AS moment
), agreed_next_to__next_to__next_to AS (
  SELECT
    moments.resource_id,
    moments.valid_from,
    moments.valid_to,
    lag(moments.valid_to, 1, CAST('0001-01-01' AS TIMESTAMP)) OVER (PARTITION BY moments.resource_id ORDER BY moments.valid_from) AS known_before,
    CASE WHEN min(found._resource_name) = max(found._resource_name) THEN min(found._resource_name) END AS _next_to__next_to__next_to__name
  FROM moments_next_to__next_to__next_to AS moments
  JOIN found_next_to__next_to__next_to AS found
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
), charges_with_signals AS (
  SELECT
    charges.*,
    resource_versions._resource_tag_feature,
    agreed_attached_to._attached_to__attribute_instance_type,
    agreed_attached_to._attached_to__tag_feature,
    agreed_attached_to__member_of._attached_to__member_of__type,
    agreed_attached_to__member_of._attached_to__member_of__tag_feature,
    id_agreed_attached_to__routes_for._attached_to__routes_for__id,
    id_agreed_beside._beside__id,
    agreed_next_to__next_to__next_to._next_to__next_to__next_to__name
  FROM charges AS charges
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
  LEFT JOIN agreed_attached_to__member_of
    ON charges.resource_id = agreed_attached_to__member_of.resource_id
    AND charges.charge_period_start >= agreed_attached_to__member_of.known_before
    AND charges.charge_period_start < agreed_attached_to__member_of.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= agreed_attached_to__member_of.valid_from
  LEFT JOIN id_agreed_attached_to__routes_for
    ON charges.resource_id = id_agreed_attached_to__routes_for.resource_id
    AND charges.charge_period_start >= id_agreed_attached_to__routes_for.known_before
    AND charges.charge_period_start < id_agreed_attached_to__routes_for.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= id_agreed_attached_to__routes_for.valid_from
  LEFT JOIN id_agreed_beside
    ON charges.resource_id = id_agreed_beside.resource_id
    AND charges.charge_period_start >= id_agreed_beside.known_before
    AND charges.charge_period_start < id_agreed_beside.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= id_agreed_beside.valid_from
  LEFT JOIN agreed_next_to__next_to__next_to
    ON charges.resource_id = agreed_next_to__next_to__next_to.resource_id
    AND charges.charge_period_start >= agreed_next_to__next_to__next_to.known_before
    AND charges.charge_period_start < agreed_next_to__next_to__next_to.valid_to
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= agreed_next_to__next_to__next_to.valid_from
), values_1 AS (
  SELECT
    *,
    coalesce(_resource_tag_feature, _attached_to__tag_feature, _attached_to__member_of__tag_feature) AS _from_feature_1 /* contexts/dimensions/feature.yml:4 */
  FROM charges_with_signals
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN NOT _from_feature_1 IS NULL
      THEN 1 /* contexts/dimensions/feature.yml:4 */
      WHEN _attached_to__routes_for__id = 'vpc-1'
      THEN 2 /* contexts/dimensions/feature.yml:5 */
      WHEN _attached_to__member_of__type = 'eks:cluster' AND NOT _attached_to__attribute_instance_type IS NULL
      THEN 3 /* contexts/dimensions/feature.yml:7 */
      WHEN _next_to__next_to__next_to__name = 'ring-1'
      THEN 4 /* contexts/dimensions/feature.yml:12 */
      WHEN NOT _beside__id IS NULL
      THEN 5 /* contexts/dimensions/feature.yml:14 */
      ELSE NULL
    END AS SMALLINT) AS feature_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE feature_rule
      WHEN 1
      THEN _from_feature_1
      WHEN 2
      THEN 'Network'
      WHEN 3
      THEN 'Clustered'
      WHEN 4
      THEN 'Round and round'
      WHEN 5
      THEN 'Beside something'
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
