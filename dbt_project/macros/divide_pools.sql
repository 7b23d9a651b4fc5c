{#
  Shares as whole numbers: quantities times a power of ten, as small as it can be without losing a digit, so that the
  products in `units_times_share` fit in 64 bits where they can. Above `digits` digits in all, the last ones are cut
  (a relative error below 10^-digits of the share; the costs still add up exactly).
#}
{% macro shares_in_whole_units(
    relation, set_column, quantity_column, scale, digits, member_column="customer_id"
) %}
    ,
    in_units as (
        select *, cast({{ quantity_column }} * 1{{ "0" * scale }} as hugeint) as units from {{ relation }}
    ),

    sets as (
        select
            {{ set_column }},
            sum({{ quantity_column }}) as total_usage,
            sum(units) as total_units,
            case
                {%- for zeros in range(scale, 0, -3) %}
                    when bool_and(units % 1{{ "0" * zeros }} = 0) then 1{{ "0" * zeros }}
                {%- endfor %}
                else 1
            end as exact_divisor
        from in_units
        group by {{ set_column }}
    ),

    divisors as (
        select
            *,
            exact_divisor * cast(
                '1' || repeat(
                    '0',
                    greatest(
                        length(cast({{ whole_quotient("total_units", "exact_divisor") }} as varchar))
                        - {{ digits }},
                        0
                    )
                ) as hugeint
            ) as divisor
        from sets
    )

    select
        in_units.{{ set_column }},
        in_units.usage_date,
        in_units.{{ member_column }},
        in_units.{{ quantity_column }},
        divisors.total_usage,
        {{ whole_quotient("in_units.units", "divisors.divisor") }} as share_units,
        sum({{ whole_quotient("in_units.units", "divisors.divisor") }}) over (
            partition by in_units.{{ set_column }}
        ) as total_units
    from in_units
    inner join divisors using ({{ set_column }})
{% endmacro %}

{#
  The largest remainder method. `parts`: pool_id, usage_date, set_id, usage_window and the cost columns and share of
  each part of a pool; `shares`: set_id, customer_id, share_units, total_units, usage_quantity, total_usage.
  Every customer gets cost × share ÷ total, cut at the last digit; what is missing to the pool's cost then goes to the
  customer with the largest share (of equal ones, the first by customer_id). All cost columns follow the same shares.
  Customers whose share of the pool is then below the rule's minimum are put together as the customer `long tail`.
#}
{% macro divide_pools(parts, shares) %}
    {%- set columns = cost_columns() + ["share"] %}
    {%- set are_small = [is_whole_as_double("total_units * largest_share_units")] %}
    {%- for column in columns %}
        {%- do are_small.append(is_whole_as_double(column ~ "_units")) %}
    {%- endfor %},
    totals as (
        select set_id, any_value(total_units) as total_units, max(share_units) as largest_share_units
        from {{ shares }}
        where total_units > 0
        group by set_id
    ),

    -- Grouping by a number and joining by it costs less than by the text of a pool_id.
    pool_numbers as materialized(
        select pool_id, row_number() over (order by pool_id) as pool_number
        from (select distinct pool_id from {{ parts }})
    ),

    pool_parts as materialized(
        select
            pool_numbers.pool_number,
            parts.pool_id,
            parts.usage_date,
            parts.set_id,
            parts.usage_window,
            parts.allocation_rule,
            totals.total_units,
            totals.largest_share_units,
            {%- for column in columns %}
                {{ money_units("parts." ~ column) }} as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from {{ parts }} as parts
        inner join pool_numbers using (pool_id)
        inner join totals using (set_id)
    ),

    -- Whether all products of the pool are so small that floating point numbers hold them exactly.
    quotients as materialized(
        select
            pool_number,
            set_id,
            total_units,
            {%- for column in columns %}
                {{ whole_quotient(column ~ "_units", "total_units") }} as {{ column }}_quotient,
                {{ column }}_units % total_units as {{ column }}_remainder,
            {%- endfor %}
            bool_and({{ are_small | join(" and ") }}) over (partition by pool_number) as is_small
        from pool_parts
    ),

    small_quotients as materialized(
        select
            pool_number,
            set_id,
            {%- for column in columns %}
                cast({{ column }}_quotient as double) as {{ column }}_quotient,
                cast({{ column }}_remainder as double) as {{ column }}_remainder,
            {%- endfor %}
            cast(total_units as double) as total_units
        from quotients
        where is_small
    ),

    small_shares as (
        select set_id, customer_id, usage_quantity, total_usage, cast(share_units as double) as share_units
        from {{ shares }}
    ),

    large_quotients as (select * from quotients where is_small is not true),

    cut as materialized(
        {%- for quotients, shares_of_sets, product in [
            ("small_quotients", "small_shares", small_units_times_share),
            ("large_quotients", shares, units_times_share),
        ] %}
            select
                quotients.pool_number,
                shares.customer_id,
                sum(shares.usage_quantity) as usage_quantity,
                sum(shares.total_usage) as total_usage,
                {%- for column in columns %}
                    sum(
                        {{
                            product(
                                "quotients." ~ column ~ "_quotient",
                                "quotients." ~ column ~ "_remainder",
                                "shares.share_units",
                                "quotients.total_units",
                            )
                        }}
                    ) as {{ column }}_units{{ "," if not loop.last }}
                {%- endfor %}
            from {{ quotients }} as quotients
            inner join {{ shares_of_sets }} as shares using (set_id)
            group by quotients.pool_number, shares.customer_id {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    minimum_shares as (
        select rule_name as allocation_rule, any_value(minimum_share) as minimum_share
        from {{ ref("allocation_rules") }}
        where minimum_share is not null
        group by rule_name
    ),

    pools as (
        select
            pool_number,
            any_value(pool_id) as pool_id,
            any_value(usage_date) as usage_date,
            any_value(minimum_share) as minimum_share,
            string_agg(distinct usage_window, ', ' order by usage_window) as usage_window,
            {%- for column in columns %}
                sum({{ column }}_units) as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from pool_parts
        left join minimum_shares using (allocation_rule)
        group by pool_number
    ),

    given as (
        select
            pool_number,
            max(share_units) as largest_share_units,
            {%- for column in columns %}
                sum({{ column }}_units) as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from cut
        group by pool_number
    ),

    largest as (
        select cut.pool_number, min(cut.customer_id) as customer_id
        from cut
        inner join
            given on given.pool_number = cut.pool_number and given.largest_share_units = cut.share_units
        group by cut.pool_number
    ),

    -- What is missing to each pool, and to whom it goes.
    missing as (
        select
            pools.pool_number,
            pools.pool_id,
            pools.usage_date,
            pools.usage_window,
            pools.minimum_share,
            largest.customer_id,
            {%- for column in columns %}
                pools.{{ column }}_units
                - given.{{ column }}_units as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from pools
        inner join given using (pool_number)
        inner join largest using (pool_number)
    ),

    divided as not materialized(
        select
            missing.pool_id,
            missing.usage_date,
            cut.customer_id,
            cut.usage_quantity,
            cut.total_usage,
            missing.usage_window,
            missing.minimum_share,
            missing.customer_id = cut.customer_id as takes_the_rest,
            {%- for column in columns %}
                {{
                    money(
                        "cut."
                        ~ column
                        ~ "_units + case when missing.customer_id = cut.customer_id then missing."
                        ~ column
                        ~ "_units else 0 end"
                    )
                }} as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from cut
        inner join missing using (pool_number)
    )

    select * exclude (minimum_share), cast(null as bigint) as long_tail_customers
    from divided
    where minimum_share is null or (share >= minimum_share and customer_id <> 'long tail')
    union all by name
    select
        pool_id,
        usage_date,
        'long tail' as customer_id,
        sum(usage_quantity) as usage_quantity,
        any_value(total_usage) as total_usage,
        usage_window,
        bool_or(takes_the_rest) as takes_the_rest,
        {%- for column in columns %} sum({{ column }}) as {{ column }}, {%- endfor %}
        nullif(count(*) filter (customer_id <> 'long tail'), 0) as long_tail_customers
    from divided
    -- What the long tail of another rule already carries joins the tail however large its share.
    where minimum_share is not null and (share < minimum_share or customer_id = 'long tail')
    group by pool_id, usage_date, usage_window
{% endmacro %}
