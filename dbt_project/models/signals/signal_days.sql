{{ config(materialized="view") }}
-- Fingerprint of each day's signals: the sum of all versions valid on the day. A running sum over starts
-- and ends gives it for all days at once, whatever the number of versions and days. Only signals that rules
-- read are included: others change no charge.
with
    versions as (
        {%- if "resources" in signals_read() %}
            select
                concat_ws(
                    chr(31),
                    'resource',
                    resource_id,
                    coalesce(resource_arn, ''),
                    coalesce(resource_type, ''),
                    coalesce(account_id, ''),
                    coalesce(region_id, ''),
                    coalesce(resource_name, ''),
                    tags::varchar,
                    attributes::varchar,
                    relationships::varchar
                ) as content,
                valid_from,
                valid_to
            from {{ ref("resources") }}
            union all
        {%- endif %}
        {%- if "accounts" in signals_read() %}
            select
                concat_ws(
                    chr(31),
                    'account',
                    account_id,
                    coalesce(account_name, ''),
                    coalesce(organizational_unit_path, ''),
                    tags::varchar
                ) as content,
                valid_from,
                valid_to
            from {{ ref("accounts") }}
            union all
        {%- endif %}
        select null::varchar as content, null::timestamp as valid_from, null::timestamp as valid_to
        where false
    -- depends on: {{ ref("resources") }}, {{ ref("accounts") }}
    ),

    -- On its first and last day a version counts from or to its exact time.
    pieces as (
        select
            content, valid_from::date as first_day, (valid_to - interval 1 microsecond)::date + 1 as day_after
        from versions
        where valid_to is null or valid_from < valid_to
        union all
        select content || chr(31) || 'from ' || valid_from, valid_from::date, valid_from::date + 1
        from versions
        where valid_from <> valid_from::date
        union all
        select content || chr(31) || 'to ' || valid_to, valid_to::date, valid_to::date + 1
        from versions
        where valid_to <> valid_to::date
    ),

    steps as (
        select first_day as usage_date, md5_number_lower(content)::hugeint as step
        from pieces
        union all
        select day_after as usage_date, - md5_number_lower(content)::hugeint as step
        from pieces
        where day_after is not null
    )

select usage_date, sum(sum(step)) over (order by usage_date)::varchar as signals_fingerprint
from steps
group by usage_date
