{# The monitored dimension: the setting `anomaly_dimension`, else `feature`, else the first dimension. #}
{% macro anomaly_dimension() -%}
    {%- set named = var("anomaly_dimension", "") -%}
    {%- set dimensions = dimension_names() -%}
    {%- if named and named not in dimensions -%}
        {{
            exceptions.raise_compiler_error(
                'The setting anomaly_dimension is "' ~ named ~ '", but the contexts define: ' ~ dimensions
                | join(", ")
            )
        }}
    {%- endif -%}
    {{ return(named or ("feature" if "feature" in dimensions else dimensions[0])) }}
{%- endmacro %}

{# Key columns of a series. #}
{% macro series_columns(relation="") -%}
    {%- for column in [
        "series_kind",
        "customer_id",
        "element",
        "service_name",
        "sub_account_id",
        "billing_currency",
    ] -%}
        {{ relation ~ "." if relation }}{{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# A stable number for a series: half of an MD5. #}
{% macro series_key() -%}
    md5_number_lower(
        concat_ws(
            chr(31),
            {%- for column in series_columns().split(", ") %}
                coalesce({{ column }}, chr(30)){{ "," if not loop.last }}
            {%- endfor %}
        )
    )
{%- endmacro %}

{#
  Deviation from the expected cost, relative to usual noise, which grows with cost but less than proportionally.
  Never finer than `cent`.
#}
{% macro residual(cost, expected, level, cent) -%}
    ({{ cost }} - {{ expected }})
    / greatest(sqrt(greatest(abs({{ expected }}), 0.05 * abs({{ level }})) * abs({{ level }})), {{ cent }})
{%- endmacro %}

{#
  Scale of residuals, robust to a tenth of outliers: the median of their sizes or, for heavier tails, the 9th decile;
  at least 1%.
#}
{% macro residual_scale(quantiles) -%}
    case
        when {{ quantiles }} is not null
        then greatest(1.4826 * {{ quantiles }} [1], {{ quantiles }} [2] / 1.6449, 0.01)
    end
{%- endmacro %}
