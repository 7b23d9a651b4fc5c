{{ config(meta={"dagster": {"ref": {"name": "reconciliation"}}}) }}
-- Law: every model has one row per key, and no nulls in required columns, as declared in `config.meta`:
-- `one_row_per` lists the key (nulls are equal; `dimensions` stands for all dimension columns), `required`
-- the other columns. Runs after the marts, and so after every model. Models are queried one by one at run
-- time: separate tests took longer than their queries, and a single query would hold everything in memory.
{%- for mart in ["context_rules"] + mart_names() -%} {%- do ref(mart) -%} {%- endfor %}
{%- for mart in ["customer_costs", "customer_margins", "average_customer_cost"] if var("reporting_currency") -%}
    {%- do ref(mart ~ "_reported") -%}
{%- endfor %}
{%- set queries = [] -%}
{%- for node in (graph.nodes.values() if execute else []) | selectattr(
    "resource_type", "equalto", "model"
) -%}
    {%- set name = dbt.string_literal(node.schema ~ "." ~ node.name) -%}
    {%- set rows_to_check = of_the_days(node.relation_name, node, 0) -%}
    {%- set key = [] -%}
    {%- for column in node.config.meta.get("one_row_per", []) -%}
        {%- do key.extend(dimension_names() if column == "dimensions" else [column]) -%}
    {%- endfor -%}
    {%- if key -%}
        {#- Grouping by a number is faster; keys whose numbers meet by chance are told apart. #}
        {%- set hashed = "hash(" ~ key | join(", ") ~ ")" -%}
        {%- set query -%}
            select
                {{ name }} as model,
                'more than one row per {{ key | join(", ") }}' as problem,
                count(*) as row_count,
                any_value(repeated)::varchar as example
            from
                (
                    select {{ key | join(", ") }}
                    from {{ rows_to_check }} as rows_to_check
                    where
                        {{ hashed }} in (
                            select {{ hashed }}
                            from {{ rows_to_check }} as rows_to_check
                            group by {{ hashed }}
                            having count(*) > 1
                        )
                    group by {{ key | join(", ") }}
                    having count(*) > 1
                ) as repeated
            having count(*) > 0
        {%- endset -%}
        {%- do queries.append(query) -%}
    {%- endif -%}
    {%- set required = node.config.meta.get("required", []) -%}
    {%- if required -%}
        {%- set query -%}
            select
                {{ name }} as model,
                'absent: {{ required | join(" or ") }}' as problem,
                count(*) as row_count,
                any_value(incomplete)::varchar as example
            from {{ rows_to_check }} as incomplete
            where ({{ required | join(" is null or ") }} is null)
            having count(*) > 0
        {%- endset -%}
        {%- do queries.append(query) -%}
    {%- endif -%}
{%- endfor %}
select *
from (values ('', '', 0, '')) as problems(model, problem, row_count, example)
where false
{%- for query in queries %}
    {%- for row in run_query(query).rows %}
        union all
        select
            {{ dbt.string_literal(row[0]) }},
            {{ dbt.string_literal(row[1]) }},
            {{ row[2] }},
            {{ dbt.string_literal(dbt.escape_single_quotes(row[3])) }}
    {%- endfor %}
{%- endfor %}
