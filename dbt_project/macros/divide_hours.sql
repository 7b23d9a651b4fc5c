{#
  The hours of what was divided among customers, in such a way that a customer's hours add up to its day, and the
  customers of an hour to the hour, both to the last digit.

  `running` has one row per pool, hour and set of shares: pool_id, cost_hour, set_id and for every cost column how much
  of the pool's part has run up before the hour and by its end (`<column>_before`, `<column>_after`, in units). A
  customer's hour is its share of what had run up by the end, less its share of what had before, each cut toward zero:
  over the hours of a part these differences add up to the one cut that the day was divided by.
#}
{% macro divide_hours(running, shares) %}
    ,
    totals as (select distinct set_id, total_units from {{ shares }} where total_units > 0),

    running_quotients as (
        select
            running.pool_id,
            running.cost_hour,
            running.set_id,
            totals.total_units,
            {%- for column in cost_columns() %}
                running.{{ column }}_before <> 0 {{ "or" if not loop.last else "as has_before" }}
            {%- endfor %}
            {%- for column in cost_columns() %}
                {%- for end in ["before", "after"] %}
                    ,
                    {{ whole_quotient("running." ~ column ~ "_" ~ end, "totals.total_units") }}
                    as {{ column }}_{{ end }}_quotient,
                    running.{{ column }}_{{ end }} % totals.total_units as {{ column }}_{{ end }}_remainder
                {%- endfor %}
            {%- endfor %}
        from {{ running }} as running
        inner join totals using (set_id)
    ),

    divided as materialized(
        {%- for has_before in [false, true] %}
            select
                running.pool_id,
                running.cost_hour,
                shares.customer_id,
                {%- for column in cost_columns() %}
                    {{
                        units_times_share(
                            "running." ~ column ~ "_after_quotient",
                            "running." ~ column ~ "_after_remainder",
                            "shares.share_units",
                            "running.total_units",
                        )
                    }}
                    {%- if has_before %}
                        - (
                            {{
                                units_times_share(
                                    "running." ~ column ~ "_before_quotient",
                                    "running." ~ column ~ "_before_remainder",
                                    "shares.share_units",
                                    "running.total_units",
                                )
                            }}
                        )
                    {%- endif %} as {{ column }}_units{{ "," if not loop.last }}
                {%- endfor %}
            from running_quotients as running
            inner join {{ shares }} as shares using (set_id)
            where
                {{ "" if has_before else "not " }}running.has_before
                {{- "
            union all" if not loop.last }}
        {%- endfor %}
    ),

    -- What is missing to an hour goes to the customer that takes what is missing to the day.
    missing as (
        select
            pool_id,
            cost_hour,
            {% for column in cost_columns() %}
                sum({{ column }}_units) as {{ column }}_units{{ "," if not loop.last }}
            {%- endfor %}
        from
            (
                select
                    running.pool_id,
                    running.cost_hour,
                    {% for column in cost_columns() %}
                        running.{{ column }}_after
                        - running.{{ column }}_before as {{ column }}_units{{ "," if not loop.last }}
                    {%- endfor %}
                from {{ running }} as running
                inner join totals using (set_id)
                union all
                select
                    pool_id,
                    cost_hour,
                    {% for column in cost_columns() %}
                        - sum({{ column }}_units) as {{ column }}_units{{ "," if not loop.last }}
                    {%- endfor %}
                from divided
                group by pool_id, cost_hour
            )
        group by pool_id, cost_hour
        having
            {% for column in cost_columns() %}
                sum({{ column }}_units) <> 0 {{ "or" if not loop.last }}
            {% endfor %}
    )
{% endmacro %}
