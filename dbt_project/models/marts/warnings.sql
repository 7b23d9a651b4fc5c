-- To add a warning, add a branch to `found` and its sentence (orchestration/outputs/warning_sentences.py), or
-- a note at landing (orchestration/sources/landing/notes.py).
with
    -- Errors: files and streams of which nothing counts.
    rejected as (
        select
            source,
            case
                when is_whole_file
                then 'file-rejected'
                when source <> 'telemetry'
                then source || '-rejected'
                when reason = 'unknown-stream'
                then 'unknown-stream'
                when
                    count(*) filter (reason <> 'unknown-stream') over (partition by source, location)
                    = batches.record_count + batches.quarantined_count
                then 'file-rejected'
                when used.stream is null and quarantine.stream is not null
                then 'stream-rejected'
                else reason
            end as code,
            case
                when code in ('unknown-stream', 'stream-rejected')
                then quarantine.stream
                when code = 'file-rejected' or source <> 'telemetry'
                then location
            end as subject,
            code in ('file-rejected', 'unknown-stream', 'stream-rejected') as is_error,
            case when not is_error then reason end as reason,
            location,
            file_row,
            coalesce(detail, reason) as detail
        from {{ ref("quarantine") }} as quarantine
        left join
            {{ ref("stg_telemetry__batches") }} as batches on batches.batch_location = quarantine.location
        left join (select distinct stream from {{ ref("usage_by_day") }}) as used using (stream)
        union all by name
        select
            'revenue' as source,
            counted.source_file is null as is_error,
            case when is_error then 'file-rejected' else 'revenue-rejected' end as code,
            source_file as subject,
            source_file as location,
            source_row as file_row,
            reason as detail
        from {{ ref("revenue_quarantine") }}
        left join
            (select distinct source_file from {{ ref("stg_revenue__revenue") }}) as counted using (
                source_file
            )
    ),

    -- What rejected rows of revenue say, as far as it can be read.
    rejected_revenue as (
        select source_file, json_group_object(currency, cast(revenue as varchar)) as revenue_by_currency
        from
            (
                select
                    source_file,
                    coalesce(upper(try_cast(row_text as json) ->> '$.currency'), '') as currency,
                    sum(try_cast(try_cast(row_text as json) ->> '$.amount' as decimal(38, 12))) as revenue
                from {{ ref("revenue_quarantine") }}
                group by all
            )
        where revenue is not null
        group by source_file
    ),

    listed as (
        select customer_id as name
        from {{ ref("customers") }}
        where is_listed
        union
        select alias as name
        from {{ ref("stg_customers__aliases") }}
    ),

    -- Names that carry cost or have revenue.
    unlisted as (
        select
            'customers' as source,
            min(totals.usage_date) as first_usage_date,
            max(totals.usage_date) as last_usage_date,
            customer_id as subject,
            count(distinct totals.usage_date) as row_count,
            totals.billing_currency,
            sum(totals.effective_cost) as effective_cost,
            'customer_costs_daily' as place
        from {{ ref("customers") }} as customers
        inner join {{ ref("customer_totals_daily") }} as totals using (customer_id)
        where customers.is_customer and not customers.is_listed
        group by customer_id, totals.billing_currency
        union all by name
        select
            'revenue' as source,
            customer_id as subject,
            count(*) as row_count,
            billing_currency,
            sum(revenue) as revenue,
            min_by(source_file || ' row ' || source_row, (source_file, source_row)) as place
        from {{ ref("stg_revenue__revenue") }}
        where customer_id not in (select name from listed)
        group by customer_id, billing_currency
    ),

    -- Elements that charges have: dimensions that take them from values do not list them in rules.
    charged_elements as (
        {%- for name in dimension_names() %}
            select distinct '{{ name }}' as dimension, cast({{ name }} as varchar) as element
            from {{ ref("customer_costs_monthly") }} {{ "union all" if not loop.last }}
        {%- endfor %}
    ),

    filters as (
        select
            stream,
            filter,
            unnest(json_keys(filter)) as dimension,
            count(*) as row_count,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date
        from {{ ref("usage_by_day") }}
        where filter is not null
        group by stream, filter
    ),

    -- Columns without values in any delivery of a source's month, if a rule refers to them; those that every
    -- bill has (a warning at landing), if one delivery lacks them.
    empty_columns as (
        select notes.*
        from {{ source("landing", "notes") }} as notes
        inner join
            {{ ref("delivered_months") }} as bills
            on bills.x_source_name = split_part(notes.place, '/', 1)
            and bills.billing_month = cast(notes.billing_period || '-01' as date)
        where
            notes.code = 'column-without-values'
            and (
                notes.severity = 'warning'
                or list_contains({{ columns_of_rules() }}::varchar[], split_part(notes.subject, ': ', 2))
            )
        qualify
            notes.severity = 'warning'
            or count(*) over (partition by notes.subject, notes.billing_period) = bills.delivery_count
    ),

    found as (
        select
            code,
            case when is_error then 'error' end as severity,
            source,
            subject,
            count(*) as row_count,
            min_by(detail, (location, coalesce(file_row, 0))) as detail,
            json_object(
                'file_count', count(distinct location), 'revenue_by_currency', any_value(revenue_by_currency)
            ) as facts,
            min_by(location || coalesce(' row ' || file_row, ''), (location, coalesce(file_row, 0))) as place
        from rejected
        left join rejected_revenue on source = 'revenue' and source_file = location
        group by code, is_error, source, subject, reason
        union all by name
        select
            case when listed_name is null then 'customer-not-listed' else 'customer-capitals' end as code,
            unlisted.* exclude (revenue),
            json_object('listed_name', listed_name, 'revenue', cast(revenue as varchar)) as facts
        from unlisted
        left join
            (select lower(name) as lowered_name, min(name) as listed_name from listed group by lowered_name)
            on lowered_name = lower(subject)
        where exists (select 1 from listed)
        union all by name
        select
            'no-customer-list' as code,
            'note' as severity,
            'customers' as source,
            min(first_usage_date) as first_usage_date,
            max(last_usage_date) as last_usage_date,
            count(distinct subject) as row_count,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'customers' as place
        from unlisted
        where source = 'customers' and not exists (select 1 from listed)
        group by billing_currency
        union all by name
        select
            'customer-id-reserved' as code,
            'customers' as source,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            count(*) as row_count,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'customer_costs_daily' as place
        from {{ ref("customer_costs_daily") }}
        where unallocated_reason = 'reserved customer id'
        group by billing_currency
        union all by name
        select
            'month-not-billed-to-its-end' as code,
            'billing' as source,
            billing_month,
            bills.last_usage_date,
            x_source_name as subject,
            costs.billing_currency,
            sum(costs.hop_cost) as effective_cost,
            json_object(
                'has_revenue',
                billing_month
                in (select billing_month from {{ ref("company_margins_monthly") }} where revenue <> 0)
            ) as facts,
            'reconciliation' as place
        from {{ ref("billed_months") }} as months
        inner join {{ ref("delivered_months") }} as bills using (billing_month)
        inner join {{ ref("reconciliation") }} as costs using (billing_month, x_source_name)
        where
            not months.is_running
            -- Providers with daily charges bill the last day of a finished month.
            and bills.last_usage_date < last_day(billing_month)
            and costs.hop = 'marts'
            and costs.cost_column = 'effective_cost'
        group by all
        union all by name
        select
            'cost-missing' as code,
            case when finding = 'pricing_public_on_demand_cost' then 'note' end as severity,
            'billing' as source,
            billing_period,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            x_source_name || ': ' || finding as subject,
            sum(row_count) as row_count,
            billing_currency,
            sum(amount) as effective_cost,
            detail,
            json_object('finding', finding) as facts,
            min_by(x_landed_file || ' row ' || x_landed_row, (x_landed_file, x_landed_row)) as place
        from {{ ref("cost_findings") }}
        where finding <> 'cause'
        group by x_source_name, billing_period, billing_currency, finding, detail
        union all by name
        select
            'effective-cost-unexplained' as code,
            case when abs(amount) < 0.01 then 'note' end as severity,
            'billing' as source,
            billing_month,
            x_source_name as subject,
            billing_currency,
            amount as effective_cost,
            'cost_bridge' as place
        from {{ ref("cost_bridge") }}
        where cause = 'unexplained'
        union all by name
        select
            'commitment-not-used' as code,
            'billing' as source,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            x_source_name || ': ' || coalesce(commitment_discount_id, 'without an id') as subject,
            sum(row_count) as row_count,
            billing_currency,
            - sum(amount) as effective_cost,
            min_by(
                x_landed_file || ' row ' || x_landed_row, (usage_date, x_landed_file, x_landed_row)
            ) as place
        from {{ ref("cost_findings") }}
        where finding = 'cause'
        group by x_source_name, billing_currency, commitment_discount_id
        having bool_and(detail in ('commitment fees', 'upfront fees', 'refunded fees')) and sum(amount) < 0
        union all by name
        select
            'no-usage' as code,
            -- Of usage that was sent and rejected as a whole, this is the money.
            case
                when exists (select 1 from rejected where source = 'telemetry' and is_error) then 'error'
            end as severity,
            'telemetry' as source,
            billing_month,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'customer_costs_monthly' as place
        from {{ ref("customer_costs_monthly") }}
        where unallocated_reason = 'no usage'
        group by billing_month, billing_currency
        having sum(effective_cost) <> 0
        union all by name
        select * rename(stream as subject), 'telemetry' as source, 'usage_daily' as place
        from {{ ref("stream_alarms") }}
        union all by name
        select
            'filter-without-cost' as code,
            'telemetry' as source,
            first_usage_date,
            last_usage_date,
            stream || ' ' || filter as subject,
            row_count,
            json_object(
                'dimension',
                dimension,
                'similar_element',
                min(element) filter (contains(lower(filter), lower('"' || element || '"')))
            ) as facts,
            'usage_daily' as place
        from filters
        left join charged_elements using (dimension)
        group by stream, filter, dimension, row_count, first_usage_date, last_usage_date
        having count(*) filter (list_contains(cast(filter -> dimension as varchar[]), element)) = 0
        union all by name
        select * rename(message as detail)
        from {{ source("landing", "notes") }}
        where code <> 'column-without-values'
        union all by name
        select
            code,
            source,
            case when count(distinct billing_period) = 1 then min(billing_period) end as billing_period,
            subject,
            sum(row_count) as row_count,
            message as detail,
            min(place) as place
        from empty_columns
        group by code, source, subject, message
    )

select
    code,
    coalesce(severity, 'warning') as severity,
    source,
    coalesce(billing_month, cast(billing_period || '-01' as date)) as billing_month,
    first_usage_date,
    last_usage_date,
    subject,
    cast(row_count as bigint) as row_count,
    billing_currency,
    cast(effective_cost as decimal(38, 12)) as effective_cost,
    detail,
    -- Without the keys that have no value.
    nullif(cast(json_merge_patch('{}', facts) as varchar), '{}') as facts,
    place
from found
