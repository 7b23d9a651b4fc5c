{# What every day is made by, besides what has landed: contexts, models and these settings. #}
{%- set settings = [var("hourly_costs_days"), var("anomaly_dimension"), var("anomaly_hourly_series")] -%}
{%- set rules_fingerprint = ([project_fingerprint()] + settings) | join("-") -%}
{{
    config(
        materialized="table",
        meta={"has_days": true},
        post_hook=[
            "delete from built.day_plan",
            "delete from built.days_made",
            "delete from {{ source('built', 'days') }} where usage_date in (select usage_date from {{ this }})",
            "create or replace table built.checked_days as select usage_date from {{ this }} union select usage_date from {{ source('built', 'days') }} where exists (select 1 from built.full_checks)",
            "insert into {{ source('built', 'days') }} (usage_date, rules_fingerprint, lookback_days, built_at) select usage_date, 'not published', 0, {{ dbt.current_timestamp() }} from {{ this }}",
        ],
    )
}}
-- Tests look at `built.checked_days`: the days of this run (earlier ones passed when they were built), or
-- all days for a full check. When a run starts a day, it is marked as begun (post_hook), and as built once
-- published. If the run stops before that, the next one repeats the day, even if its content is back to the
-- previous one or gone: it may be half built.
with
    -- Whether a bill has net costs is a property of its month, and affects each day's charges.
    net_deliveries as (
        select distinct days.source_name, days.delivery, days.billing_period
        from
            (
                select
                    source_name, delivery, billing_period, unnest(billing_account_ids) as billing_account_id
                from {{ source("landing", "billing_days") }}
            ) as days
        inner join
            {{ ref("stg_aws_cur__net_bills") }} as net_bills
            on net_bills.x_source_name = days.source_name
            and net_bills.billing_period = days.billing_period
            and net_bills.billing_account_id = coalesce(days.billing_account_id, '')
    ),

    charge_days as (
        select
            usage_date,
            md5(
                string_agg(
                    concat_ws(
                        '/',
                        source_name,
                        delivery,
                        billing_period,
                        billing_currency,
                        row_count,
                        fingerprint,
                        case when net_deliveries.delivery is not null then 'net' end
                    ),
                    chr(10)
                    order by source_name, delivery, billing_period, billing_currency
                )
            ) || case
                when usage_date > (select billed_through from {{ ref("billed_through") }})
                then '/to come'
                else ''
            end as charges_fingerprint,
            sum(row_count) as row_count
        from {{ source("landing", "billing_days") }}
        left join net_deliveries using (source_name, delivery, billing_period)
        group by usage_date
    ),

    batch_days as (
        select
            unnest(usage_dates) as usage_date,
            batch_id,
            batch_rank,
            record_count / len(usage_dates) as row_count
        from {{ ref("stg_telemetry__batches") }}
    ),

    usage_days as (
        select
            usage_date,
            md5(string_agg(batch_id, chr(10) order by batch_rank)) as usage_fingerprint,
            sum(row_count) as row_count
        from batch_days
        group by usage_date
    ),

    known_days as (
        select
            usage_date,
            charge_days.charges_fingerprint,
            usage_days.usage_fingerprint,
            coalesce(charge_days.row_count, 0) + coalesce(usage_days.row_count, 0) as row_count
        from charge_days
        full join usage_days using (usage_date)
    ),

    -- Aliases valid on the day.
    alias_days as (
        select
            known_days.usage_date,
            md5(
                string_agg(
                    concat_ws(chr(10), aliases.alias, aliases.customer_id),
                    chr(10)
                    order by aliases.alias, aliases.customer_id
                )
            ) as aliases_fingerprint
        from known_days
        inner join
            {{ ref("stg_customers__aliases") }} as aliases
            on known_days.usage_date between aliases.valid_from and aliases.valid_to
        group by known_days.usage_date
    ),

    landed_days as (
        select known_days.*, alias_days.aliases_fingerprint
        from known_days
        left join alias_days using (usage_date)
    ),

    -- Signals of the day about resources, accounts and nodes, as far as rules read them.
    landed_and_told as (
        select
            landed_days.*,
            case
                when landed_days.charges_fingerprint is not null
                then
                    nullif(
                        concat_ws('/', signal_days.signals_fingerprint, opencost_days.opencost_fingerprint),
                        ''
                    )
            end as signals_fingerprint
        from landed_days
        asof left join
            {{ ref("signal_days") }} as signal_days on landed_days.usage_date >= signal_days.usage_date
        left join
            {{ ref("stg_opencost__days") }} as opencost_days
            on opencost_days.usage_date = landed_days.usage_date
    ),

    -- The day's files are missing on disk.
    lost_files as (
        select distinct period_start, contains(file, '/usage_month=') as is_of_month
        from built.day_files
        where file is not null and file not in (select file from glob('{{ var("days") }}/*/*/*.parquet'))
    ),

    lost_days as (
        select distinct built_days.usage_date
        from {{ source("built", "days") }} as built_days
        inner join
            lost_files
            on lost_files.period_start = case
                when lost_files.is_of_month
                then cast(date_trunc('month', built_days.usage_date) as date)
                else built_days.usage_date
            end
    ),

    compared as (
        select
            usage_date,
            usage_date in (select usage_date from lost_days) as has_lost_files,
            landed_days.charges_fingerprint,
            landed_days.usage_fingerprint,
            landed_days.signals_fingerprint,
            landed_days.aliases_fingerprint,
            '{{ rules_fingerprint }}' as rules_fingerprint,
            coalesce(landed_days.row_count, 0) as row_count,
            coalesce(built_days.lookback_days, 0) as lookback_days,
            built_days.usage_date is null or landed_days.usage_date is null as is_new_or_gone,
            landed_days.charges_fingerprint
            is distinct from built_days.charges_fingerprint as has_other_charges,
            landed_days.usage_fingerprint is distinct from built_days.usage_fingerprint as has_other_usage,
            landed_days.signals_fingerprint
            is distinct from built_days.signals_fingerprint as has_other_signals,
            landed_days.aliases_fingerprint
            is distinct from built_days.aliases_fingerprint as has_other_aliases,
            built_days.rules_fingerprint is distinct from '{{ rules_fingerprint }}' as has_other_rules
        from landed_and_told as landed_days
        full join {{ source("built", "days") }} as built_days using (usage_date)
    ),

    -- A day without usage was divided by the usage of previous days, so it changes with them.
    with_lookback as (
        select
            *,
            exists (
                select 1
                from compared as earlier
                where
                    (earlier.has_other_usage or earlier.has_other_aliases)
                    and earlier.usage_date < compared.usage_date
                    and earlier.usage_date >= compared.usage_date - compared.lookback_days
            ) as has_other_usage_before
        from compared
    )

select
    usage_date,
    concat_ws(
        ', ',
        case when is_new_or_gone then 'not published yet' end,
        case when not is_new_or_gone and has_other_charges then 'charges' end,
        case when not is_new_or_gone and has_other_usage then 'usage' end,
        case when not is_new_or_gone and has_other_signals then 'signals' end,
        case when not is_new_or_gone and has_other_aliases then 'aliases of customers' end,
        case when has_lost_files then 'lost files' end,
        case when has_other_usage_before then 'usage of the days before' end,
        case when not is_new_or_gone and has_other_rules then 'rules' end
    ) as reason,
    charges_fingerprint,
    usage_fingerprint,
    signals_fingerprint,
    aliases_fingerprint,
    rules_fingerprint,
    -- Batches of days, limited by rows of charges and usage to fit into memory.
    cast(
        floor(
            (sum(row_count) over (order by usage_date) - row_count) / {{ var("batch_rows") | int }}
        ) as integer
    ) as batch
from with_lookback
where
    is_new_or_gone
    or has_lost_files
    or has_other_charges
    or has_other_usage
    or has_other_signals
    or has_other_aliases
    or has_other_usage_before
    or has_other_rules
    or {{ "true" if flags.FULL_REFRESH else "false" }}
