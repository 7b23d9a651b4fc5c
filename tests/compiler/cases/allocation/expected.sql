-- Generated from the contexts; edit those, not this file.

WITH account_facts AS (
  SELECT
    *
    EXCLUDE (facts),
    facts['account_name'] AS _account_name
  FROM {{ ref('account_facts') }}
), charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['app'], '') AS _tag_app,
    nullif(charges.tags['customer'], '') AS _tag_customer,
    nullif(charges.tags['tenant'], '') AS _tag_tenant,
    account_facts.*
    EXCLUDE (account_id, begins_from, begins_before, lasts_from, lasts_before)
    REPLACE (coalesce(nullif(charges.sub_account_name, ''), account_facts._account_name) AS _account_name)
  FROM {{ ref('charges') }} AS charges
  LEFT JOIN account_facts
    ON account_facts.account_id = charges.sub_account_id
    AND charges.charge_period_start >= account_facts.begins_from
    AND charges.charge_period_start < account_facts.begins_before
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) >= account_facts.lasts_from
    AND greatest(charges.charge_period_start, charges.charge_period_end - INTERVAL '1' MICROSECOND) < account_facts.lasts_before
), rules_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN ends_with(_account_name, '-development') THEN 1 /* contexts/dimensions/environment.yml:5 */
      ELSE 0
    END AS SMALLINT) AS environment_rule
  FROM charges
), elements_1 AS (
  SELECT
    *,
    CAST(CASE
      WHEN environment_rule = 1 THEN 'development'
      WHEN environment_rule = 0 THEN 'production'
      ELSE NULL
    END AS TEXT) AS environment
  FROM rules_1
), allocation_values AS (
  SELECT
    *,
    nullif(lower(trim(_tag_customer, ' ' || chr(9) || chr(10) || chr(13))), '') AS _to_1, /* contexts/allocation.yml:6 */
    nullif(
      regexp_replace(coalesce(_tag_tenant, nullif(resource_name, '')), '^tenant-(cust-[0-9]+)-.*$', '\1', 'g'),
      ''
    ) AS _to_2 /* contexts/allocation.yml:9 */
  FROM elements_1
), allocation_positions AS (
  SELECT
    *,
    coalesce(environment = 'production' OR charge_category = 'Tax', FALSE) AS cost_of_goods_sold,
    CAST(CASE
      WHEN NOT _tag_customer IS NULL AND NOT _to_1 IS NULL THEN 1 /* contexts/allocation.yml:6 */
      WHEN starts_with(resource_name, 'tenant-') AND NOT _to_2 IS NULL THEN 2 /* contexts/allocation.yml:9 */
      WHEN _tag_app = 'search' THEN 3 /* contexts/allocation.yml:13 */
      WHEN _tag_app = 'export' THEN 4 /* contexts/allocation.yml:16 */
      WHEN charge_category = 'Tax' THEN 5 /* contexts/allocation.yml:19 */
      WHEN charge_category = 'Credit' THEN 6 /* contexts/allocation.yml:21 */
      WHEN _tag_app = 'pilot' THEN 7 /* contexts/allocation.yml:23 */
      WHEN _tag_app = 'internal' THEN 8 /* contexts/allocation.yml:25 */
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
  environment,
  environment_rule,
  cost_of_goods_sold,
  CAST(CASE _allocation_rule
    WHEN 1 THEN 'direct'
    WHEN 2 THEN 'by_name'
    WHEN 3 THEN 'search_queries'
    WHEN 4 THEN 'rows_exported'
    WHEN 5 THEN 'allocated_cost'
    WHEN 6 THEN 'even'
    WHEN 7 THEN 'fixed'
    WHEN 8 THEN 'none'
    ELSE NULL
  END AS TEXT) AS allocation_rule,
  CAST(CASE _allocation_rule WHEN 1 THEN _to_1 WHEN 2 THEN _to_2 ELSE NULL END AS TEXT) AS direct_customer_id
FROM allocation_positions
