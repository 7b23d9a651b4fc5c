"""Queries for suggested rules: on the temporary tables `profiles` and `signs`; `{name}` is a dimension."""

# Everything a rule could refer to in a charge, as lists of kind, key and value. Extra columns start with an
# underscore, unlike any dimension.
SIGNS = """
create or replace temp table signs as
select * exclude (_signs, _sign), _sign.kind as _kind, _sign.key as _key, _sign.value as _value
from
    (
        select
            * exclude (tags, cost_categories),
            list_transform(map_entries(tags), lambda e: {'kind': 'tag', 'key': e.key, 'value': e.value})
            || list_transform(
                map_entries(cost_categories),
                lambda e: {'kind': 'cost_category', 'key': e.key, 'value': e.value}
            )
            || [
                {'kind': 'k8s', 'key': 'namespace', 'value': x_kubernetes_namespace},
                {'kind': 'account', 'key': 'id', 'value': sub_account_id},
                {'kind': 'charge', 'key': 'service_name', 'value': service_name},
                {'kind': 'name', 'key': 'resource_id', 'value': _name_prefix}
            ] as _signs
        from profiles
    ),
    unnest(_signs) as _unnested(_sign)
where _sign.value <> ''
"""

# Unmatched cost by value; `element` if at least `sure` percent of the value's matched cost has it, unless
# that much of all matched cost has it anyway: then the value says nothing, unless it has other spellings.
VALUES = """
with
    costs as (
        -- `PROD` and `prod` are one value.
        select _kind as kind, _key as key, lower(_value) as folded, billing_currency,
            signs."{name}" as element, signs."{name}_rule" > 0 as is_claimed,
            list(distinct _value) as spellings, arg_max(_value, effective_cost) as spelling,
            sum(effective_cost) as cost
        from signs
        group by all
    ),
    by_value as (
        select
            kind, key, folded, len(list_distinct(flatten(list(spellings)))) as spelling_count,
            arg_max(spelling, cost) filter (not coalesce(is_claimed, false)) as value,
            max(cost) filter (not coalesce(is_claimed, false)) as unclaimed,
            arg_max(element, abs(cost)) filter (is_claimed) as element,
            max(abs(cost)) filter (is_claimed) as of_element,
            sum(abs(cost)) filter (is_claimed) as of_all
        from costs
        group by kind, key, folded
    ),
    usual as (
        -- Of the currency with most cost: currencies are not summed.
        select "{name}" as element, 100 * sum(abs(effective_cost)) >= $sure * sum(sum(abs(effective_cost)))
            over (partition by billing_currency) as is_usual
        from profiles
        where "{name}_rule" > 0
        group by "{name}", billing_currency
        qualify billing_currency = first_value(billing_currency) over (order by sum(abs(effective_cost)) desc)
    )
select
    kind,
    key,
    value,
    spelling_count,
    unclaimed,
    (100 * of_element / nullif(of_all, 0))::integer as sure_percent,
    case
        when
            of_element * 100 >= of_all * $sure
            and of_all * $evidence >= unclaimed
            and (spelling_count > 1 or not coalesce(usual.is_usual, false))
        then by_value.element
    end as element
from by_value
left join usual on usual.element = by_value.element
where unclaimed > 0
order by unclaimed desc, kind, key, value
limit 1000
"""

KEYS = """
select
    key,
    max(cost) as unclaimed,
    max(value_count) as value_count,
    max(folded_count) as folded_count,
    min(example) as example,
    any_value(key_values) as key_values
from (
    select _key as key, billing_currency, sum(effective_cost) as cost,
        count(distinct _value) as value_count,
        count(distinct lower(trim(_value))) as folded_count,
        arg_max(_value, effective_cost) as example, list(distinct _value) as key_values
    from signs
    where _kind = 'tag' and coalesce("{name}_rule", 0) = 0
    group by _key, billing_currency
)
group by key
having max(cost) > 0 and max(value_count) between 2 and $most
order by unclaimed desc, key
"""
