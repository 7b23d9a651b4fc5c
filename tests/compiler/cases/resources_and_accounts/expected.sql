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
    nullif(organizational_unit_path, '') AS _account_organizational_unit_path,
    nullif(tags['owner'], '') AS _account_tag_owner
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
    nullif(attributes['instance_class'], '') AS _resource_attribute_instance_class,
    nullif(region_id, '') AS _resource_region_id,
    nullif(resource_name, '') AS _resource_name,
    nullif(resource_type, '') AS _resource_type,
    nullif(tags['owner'], '') AS _resource_tag_owner
  FROM {{ ref('resources') }}
  WHERE
    valid_from < coalesce(valid_to, CAST('9999-12-31' AS TIMESTAMP))
  WINDOW versions AS (PARTITION BY resource_id ORDER BY valid_from)
), charges AS (
  SELECT
    *
  FROM {{ ref('charges') }}
), charges_with_keys AS (
  SELECT
    *,
    nullif(x_kubernetes_labels['app_kubernetes_io_part_of'], '') AS _label_app_kubernetes_io_part_of
  FROM charges
), charges_with_signals AS (
  SELECT
    charges.*,
    account_versions._account_organizational_unit_path,
    account_versions._account_tag_owner,
    resource_versions._resource_attribute_instance_class,
    resource_versions._resource_region_id,
    resource_versions._resource_name,
    resource_versions._resource_type,
    resource_versions._resource_tag_owner
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
), values_1 AS (
  SELECT
    *,
    nullif(lower(coalesce(_resource_tag_owner, _label_app_kubernetes_io_part_of, _account_tag_owner)), '') AS _from_owner_3 /* contexts/dimensions/owner.yml:11 */
  FROM charges_with_signals
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN _resource_type IN ('rds:db', 'rds:cluster')
      AND starts_with(_resource_attribute_instance_class, 'db.r')
      THEN 1 /* contexts/dimensions/owner.yml:4 */
      WHEN NOT _resource_region_id = 'eu-west-1'
      THEN 2 /* contexts/dimensions/owner.yml:9 */
      WHEN NOT _from_owner_3 IS NULL
      THEN 3 /* contexts/dimensions/owner.yml:11 */
      WHEN starts_with(_account_organizational_unit_path, 'Root/Sandbox')
      THEN 4 /* contexts/dimensions/owner.yml:13 */
      WHEN NOT _resource_name IS NULL
      THEN 5 /* contexts/dimensions/owner.yml:15 */
      ELSE NULL
    END AS SMALLINT) AS owner_rule
  FROM values_1
), elements_1 AS (
  SELECT
    *,
    CAST(CASE owner_rule
      WHEN 1
      THEN 'database'
      WHEN 2
      THEN 'elsewhere'
      WHEN 3
      THEN _from_owner_3
      WHEN 4
      THEN 'sandbox'
      WHEN 5
      THEN 'named'
      ELSE NULL
    END AS TEXT) AS owner
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
  owner,
  owner_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
