-- What a person should know about the data of the run. Whoever finds something to tell adds a branch at the
-- end, or a note where the files are landed (orchestration/sources/notes.py).
with
    -- A file of which nothing counts is one row; what is rejected of other files, one row per reason and
    -- stream.
    rejected_usage as (
        select
            case when batches.record_count = 0 then 'file-rejected' else reason end as code,
            case
                when batches.record_count = 0 then batch_location when reason = 'unknown-stream' then record
            end as subject,
            batch_location,
            coalesce(batch_row, 0) as batch_row,
            batch_location || coalesce(' row ' || batch_row, '') as place,
            detail
        from {{ ref("quarantine") }} as quarantine
        left join {{ ref("stg_telemetry__batches") }} as batches using (batch_location)
    ),

    rejected_usage_warnings as (
        select
            code,
            case when subject is null then 'warning' else 'error' end as severity,
            'telemetry' as source,
            subject,
            count(*) as row_count,
            case
                when code = 'file-rejected' then 'every record of the file is rejected, the first: ' else ''
            end
            || min_by(detail, (batch_location, batch_row))
            || case
                when count(distinct batch_location) > 1
                then ' (in ' || count(distinct batch_location) || ' files)'
                else ''
            end as message,
            min_by(place, (batch_location, batch_row)) as place
        from rejected_usage
        group by code, subject
    ),

    rejected_revenue_warnings as (
        select
            'revenue-rejected' as code,
            'warning' as severity,
            'revenue' as source,
            source_file as subject,
            count(*) as row_count,
            'rows of revenue are rejected and in no margin, the first because '
            || min_by(reason, source_row) as message,
            source_file || ' row ' || min(source_row) as place
        from {{ ref("revenue_quarantine") }}
        group by source_file
    ),

    rejected_signal_warnings as (
        select
            signal || '-rejected' as code,
            'warning' as severity,
            signal as source,
            location as subject,
            count(*) as row_count,
            'rejected: ' || coalesce(min_by(detail, coalesce(file_row, 0)), reason) as message,
            location || coalesce(' row ' || min(file_row), '') as place
        from {{ ref("refused_rows") }}
        group by signal, location, reason
    ),

    unlisted_costs as (
        select
            customers.customer_id,
            totals.billing_currency,
            count(distinct totals.usage_date) as row_count,
            min(totals.usage_date) as first_usage_date,
            max(totals.usage_date) as last_usage_date,
            sum(totals.effective_cost) as effective_cost
        from {{ ref("customers") }} as customers
        inner join {{ ref("customer_totals_daily") }} as totals using (customer_id)
        where not customers.is_listed
        group by all
    ),

    listed_names as (
        select lower(name) as lowered_name, min(name) as name
        from
            (
                select customer_id as name
                from {{ ref("stg_customers__customers") }}
                union
                select alias as name
                from {{ ref("stg_customers__aliases") }}
            )
        group by lower(name)
    ),

    unlisted_customer_warnings as (
        select
            case
                when listed_names.name is not null then 'customer-capitals' else 'customer-not-listed'
            end as code,
            'warning' as severity,
            'customers' as source,
            unlisted_costs.first_usage_date,
            unlisted_costs.last_usage_date,
            unlisted_costs.customer_id as subject,
            unlisted_costs.row_count,
            unlisted_costs.billing_currency,
            unlisted_costs.effective_cost,
            case
                when listed_names.name is not null
                then
                    'carries cost of its own: customer "'
                    || unlisted_costs.customer_id
                    || '" differs from "'
                    || listed_names.name
                    || '" of the customer list only by capitals; write it alike, or as an alias'
                else
                    'carries cost but is not in the customer list: "'
                    || unlisted_costs.customer_id
                    || '"; add it there, or as an alias of the customer it stands for'
            end as message,
            'customer_costs_daily' as place
        from unlisted_costs
        left join listed_names on listed_names.lowered_name = lower(unlisted_costs.customer_id)
        where exists (select 1 from {{ ref("stg_customers__customers") }})
    ),

    missing_list_warnings as (
        select
            'no-customer-list' as code,
            'note' as severity,
            'customers' as source,
            min(first_usage_date) as first_usage_date,
            max(last_usage_date) as last_usage_date,
            count(distinct customer_id) as row_count,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'there is no customer list, so names and segments of customers are unknown' as message,
            'customers' as place
        from unlisted_costs
        where not exists (select 1 from {{ ref("stg_customers__customers") }})
        group by billing_currency
    ),

    -- A month that is over and was not billed to its end: its whole revenue stands against a part of its
    -- cost.
    unfinished_month_warnings as (
        select
            'month-not-billed-to-its-end' as code,
            'warning' as severity,
            'revenue' as source,
            billing_month as billing_period,
            billed_through as last_usage_date,
            billing_currency,
            effective_cost,
            'the month is over and its bill has usage through '
            || coalesce(cast(billed_through as varchar), 'no day')
            || ' only, so its margin sets the revenue of the whole month against the cost of these days; deliver the '
            || 'rest of the bill' as message,
            'company_margins_monthly' as place
        from {{ ref("company_margins_monthly") }}
        where
            not is_running
            and revenue <> 0
            and billed_through is distinct from last_day(cast(billing_month || '-01' as date))
    ),

    everything as (
        select code, severity, source, subject, row_count, message, place
        from rejected_usage_warnings
        union all by name
        select code, severity, source, subject, row_count, message, place
        from rejected_revenue_warnings
        union all by name
        select code, severity, source, subject, row_count, message, place
        from rejected_signal_warnings
        union all by name
        select *
        from unlisted_customer_warnings
        union all by name
        select *
        from missing_list_warnings
        union all by name
        select *
        from unfinished_month_warnings
        union all by name
        select *
        from {{ ref("stg_notes__notes") }}
    )

select
    code,
    severity,
    source,
    billing_period,
    first_usage_date,
    last_usage_date,
    subject,
    cast(row_count as bigint) as row_count,
    billing_currency,
    cast(effective_cost as decimal(38, 12)) as effective_cost,
    message,
    place
from everything
