"""SQL over `candidates` and `named`: which deliveries are copies, and which only have equal sums."""

from __future__ import annotations

# Deliveries that both name a provider, sub account or the like, and none in common, are different bills. Of
# the ways of comparing, the one that finds most counts.
FOUND = """
create table found as
with
    named_candidates as (
        select
            named.*,
            unnest(
                list_concat(
                    [
                        ('provider', provider),
                        ('sub account', sub),
                        ('time', covered_from::varchar),
                        ('resource', resource),
                        ('end of resource', regexp_extract(resource, '[^/:]*$')),
                        ('category', category),
                        ('service', service),
                        ('region', region),
                        ('sku', sku),
                        ('usage type', usage_type),
                        ('operation', operation),
                        ('description', description)
                    ],
                    list_transform(map_entries(tag_map), lambda e: ('tag ' || e.key, e.value))
                )
            ) as attribute
        from named
        where (delivery, billing_period, account) in (
            select (unnest([first, second]), billing_period, account) from candidates
        )
    ),

    attributes as (
        select distinct
            delivery, billing_period, account, sub, currency, usage_date,
            attribute[1] as name, attribute[2] as value
        from named_candidates
        where attribute[2] <> ''
    ),

    sides as (
        select
            candidates.* exclude (money, restated, first_day, last_day),
            pairs.has_same_words,
            pairs.has_same_unit,
            unnest([first, second]) as delivery
        from candidates
        inner join pairs using (first, second)
    ),

    named_values as (
        select
            sides.candidate,
            attributes.name,
            attributes.value,
            bool_or(sides.delivery = sides.first) as is_of_first,
            bool_or(sides.delivery = sides.second) as is_of_second
        from sides
        inner join
            attributes
            on attributes.delivery = sides.delivery
            and attributes.billing_period = sides.billing_period
            and attributes.account = sides.account
            and attributes.currency = sides.currency
            and (sides.sub is null or attributes.sub = sides.sub)
            and (sides.usage_date is null or attributes.usage_date = sides.usage_date)
            and case
                when attributes.name in ('provider', 'sub account') or attributes.name like 'tag %'
                then true
                when attributes.name = 'time'
                then sides.has_same_unit
                when attributes.name = 'end of resource'
                then not sides.has_same_words
                else sides.has_same_words
            end
        group by all
    ),

    differently_named as (
        select candidate
        from
            (
                select candidate, name
                from named_values
                group by all
                having
                    bool_or(is_of_first)
                    and bool_or(is_of_second)
                    and not bool_or(is_of_first and is_of_second)
            )
        group by candidate
    ),

    totals as (
        select
            billing_period,
            account,
            first,
            second,
            currency,
            way,
            min(first_day) as first_day,
            max(last_day) as last_day,
            cast(sum(money) as decimal(38, 12)) as money,
            cast(sum(restated) as decimal(38, 12)) as restated
        from candidates
        where candidate not in (select candidate from differently_named)
        group by all
    )

select * exclude (way), way <> 4 as is_certain
from totals
qualify row_number() over (
    partition by billing_period, account, first, second, currency order by way = 4, abs(money) desc, way
) = 1
"""
