{#
  Query: the rows of `query`, with `customer_name` and `segment` of their customer_id. By name, so that a model kept by
  day can call it when its view is made; such a model depends on stg_customers__customers by a comment.
#}
{% macro customer_names(query) %}
    select
        unnamed.*,
        coalesce(listed.customer_name, unnamed.customer_id) as customer_name,
        case
            when unnamed.customer_id in {{ reserved_customers() }}
            then unnamed.customer_id
            else coalesce(listed.segment, 'unknown')
        end as segment
    from ({{ query }}) as unnamed
    left join staging.stg_customers__customers as listed on listed.customer_id = unnamed.customer_id
{% endmacro %}
