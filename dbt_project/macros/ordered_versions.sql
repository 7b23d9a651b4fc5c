{# Query: the landed versions of resources or accounts, each with what the snapshots before and after it say. #}
{% macro ordered_versions(relation, id) %}
    select
        *,
        lag(observed_at) over versions as previous_at,
        coalesce(lag(is_present) over versions, false) as was_present,
        lead(observed_at) over versions as valid_to
    from {{ relation }}
    window versions as (partition by {{ id }} order by observed_at)
{% endmacro %}
