{# What is valid from the beginning of time, as far as any bill goes. #}
{% macro the_beginning() -%} timestamp '1970-01-01 00:00:00' {%- endmacro %}

{# Midnight (UTC) of the day of an instant, as a timestamp. #}
{% macro day_begin(instant) -%} cast(cast({{ instant }} as date) as timestamp) {%- endmacro %}
