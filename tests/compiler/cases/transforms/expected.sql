-- Generated from the contexts; edit those, not this file.

WITH charges AS (
  SELECT
    charges.*,
    nullif(charges.tags['a'], '') AS _tag_a
  FROM {{ ref('charges') }} AS charges
), values_1 AS (
  SELECT
    *,
    regexp_replace(_tag_a, '^nw-', '', 'g') AS _from_chained_1_part_1, /* contexts/dimensions/chained.yml:4 */
    coalesce(nullif(_tag_a, ''), 'none') AS _from_given_default_1, /* contexts/dimensions/given_default.yml:3 */
    nullif(split_part(_tag_a, '-', -1), '') AS _from_last_1, /* contexts/dimensions/last.yml:3 */
    nullif(lower(_tag_a), '') AS _from_lowered_1, /* contexts/dimensions/lowered.yml:3 */
    nullif(CASE _tag_a WHEN 'srch' THEN 'search' WHEN 'it''s' THEN 'its' ELSE _tag_a END, '') AS _from_mapped_1, /* contexts/dimensions/mapped.yml:3 */
    nullif(regexp_replace(_tag_a, '-([a-z])', '/\1', 'g'), '') AS _from_replaced_1, /* contexts/dimensions/replaced.yml:3 */
    nullif(split_part(_tag_a, '-', 2), '') AS _from_second_1, /* contexts/dimensions/second.yml:3 */
    nullif(trim(regexp_replace(lower(_tag_a), '[^a-z0-9]+', '-', 'g'), '-'), '') AS _from_slugged_1, /* contexts/dimensions/slugged.yml:3 */
    nullif(
      array_to_string(
        list_transform(str_split(_tag_a, ' '), LAMBDA word : upper(left(word, 1)) || lower(substring(word, 2))),
        ' '
      ),
      ''
    ) AS _from_titled_1, /* contexts/dimensions/titled.yml:3 */
    nullif(trim(_tag_a, ' ' || chr(9) || chr(10) || chr(13)), '') AS _from_trimmed_1, /* contexts/dimensions/trimmed.yml:3 */
    nullif(upper(_tag_a), '') AS _from_uppered_1 /* contexts/dimensions/uppered.yml:3 */
  FROM charges
), values_1_part_2 AS (
  SELECT
    *,
    array_to_string(
      list_transform(
        str_split(CASE _from_chained_1_part_1 WHEN 'search-api' THEN 'search api' ELSE _from_chained_1_part_1 END, ' '),
        LAMBDA word : upper(left(word, 1)) || lower(substring(word, 2))
      ),
      ' '
    ) AS _from_chained_1_part_2 /* contexts/dimensions/chained.yml:4 */
  FROM values_1
), values_1_part_3 AS (
  SELECT
    *,
    nullif(
      CASE _from_chained_1_part_2
        WHEN 'Search Api' THEN 'Search API'
        WHEN 'Srch' THEN 'srch'
        ELSE _from_chained_1_part_2
      END,
      ''
    ) AS _from_chained_1 /* contexts/dimensions/chained.yml:4 */
  FROM values_1_part_2
), rules_1 AS (
  SELECT
    *,
    CAST(CASE WHEN NOT _from_chained_1 IS NULL THEN 1 /* contexts/dimensions/chained.yml:4 */ ELSE NULL END AS SMALLINT) AS chained_rule,
    CAST(CASE
      WHEN NOT _from_given_default_1 IS NULL THEN 1 /* contexts/dimensions/given_default.yml:3 */
      ELSE NULL
    END AS SMALLINT) AS given_default_rule,
    CAST(CASE WHEN NOT _from_last_1 IS NULL THEN 1 /* contexts/dimensions/last.yml:3 */ ELSE NULL END AS SMALLINT) AS last_rule,
    CAST(CASE WHEN NOT _from_lowered_1 IS NULL THEN 1 /* contexts/dimensions/lowered.yml:3 */ ELSE NULL END AS SMALLINT) AS lowered_rule,
    CAST(CASE WHEN NOT _from_mapped_1 IS NULL THEN 1 /* contexts/dimensions/mapped.yml:3 */ ELSE NULL END AS SMALLINT) AS mapped_rule,
    CAST(CASE WHEN NOT _from_replaced_1 IS NULL THEN 1 /* contexts/dimensions/replaced.yml:3 */ ELSE NULL END AS SMALLINT) AS replaced_rule,
    CAST(CASE WHEN NOT _from_second_1 IS NULL THEN 1 /* contexts/dimensions/second.yml:3 */ ELSE NULL END AS SMALLINT) AS second_rule,
    CAST(CASE WHEN NOT _from_slugged_1 IS NULL THEN 1 /* contexts/dimensions/slugged.yml:3 */ ELSE NULL END AS SMALLINT) AS slugged_rule,
    CAST(CASE WHEN NOT _from_titled_1 IS NULL THEN 1 /* contexts/dimensions/titled.yml:3 */ ELSE NULL END AS SMALLINT) AS titled_rule,
    CAST(CASE WHEN NOT _from_trimmed_1 IS NULL THEN 1 /* contexts/dimensions/trimmed.yml:3 */ ELSE NULL END AS SMALLINT) AS trimmed_rule,
    CAST(CASE WHEN NOT _from_uppered_1 IS NULL THEN 1 /* contexts/dimensions/uppered.yml:3 */ ELSE NULL END AS SMALLINT) AS uppered_rule
  FROM values_1_part_3
), elements_1 AS (
  SELECT
    *,
    CAST(CASE WHEN chained_rule = 1 THEN _from_chained_1 ELSE NULL END AS TEXT) AS chained,
    CAST(CASE WHEN given_default_rule = 1 THEN _from_given_default_1 ELSE NULL END AS TEXT) AS given_default,
    CAST(CASE WHEN last_rule = 1 THEN _from_last_1 ELSE NULL END AS TEXT) AS last,
    CAST(CASE WHEN lowered_rule = 1 THEN _from_lowered_1 ELSE NULL END AS TEXT) AS lowered,
    CAST(CASE WHEN mapped_rule = 1 THEN _from_mapped_1 ELSE NULL END AS TEXT) AS mapped,
    CAST(CASE WHEN replaced_rule = 1 THEN _from_replaced_1 ELSE NULL END AS TEXT) AS replaced,
    CAST(CASE WHEN second_rule = 1 THEN _from_second_1 ELSE NULL END AS TEXT) AS second,
    CAST(CASE WHEN slugged_rule = 1 THEN _from_slugged_1 ELSE NULL END AS TEXT) AS slugged,
    CAST(CASE WHEN titled_rule = 1 THEN _from_titled_1 ELSE NULL END AS TEXT) AS titled,
    CAST(CASE WHEN trimmed_rule = 1 THEN _from_trimmed_1 ELSE NULL END AS TEXT) AS trimmed,
    CAST(CASE WHEN uppered_rule = 1 THEN _from_uppered_1 ELSE NULL END AS TEXT) AS uppered
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
  chained,
  chained_rule,
  given_default,
  given_default_rule,
  last,
  last_rule,
  lowered,
  lowered_rule,
  mapped,
  mapped_rule,
  replaced,
  replaced_rule,
  second,
  second_rule,
  slugged,
  slugged_rule,
  titled,
  titled_rule,
  trimmed,
  trimmed_rule,
  uppered,
  uppered_rule,
  cost_of_goods_sold,
  CAST(NULL AS TEXT) AS allocation_rule,
  CAST(NULL AS TEXT) AS direct_customer_id
FROM allocation_positions
