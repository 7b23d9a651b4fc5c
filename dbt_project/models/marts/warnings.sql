-- To add a warning, add a branch to `found`, or a note at landing
-- (orchestration/sources/landing/notes.py).
with
    judged_usage as (
        select
            case
                when reason = 'unknown-stream'
                then 'unknown-stream'
                when
                    count(*) filter (reason <> 'unknown-stream') over (partition by location)
                    = batches.record_count + batches.quarantined_count
                then 'file-rejected'
                when stream not in (select stream from {{ ref("usage_by_day") }})
                then 'stream-rejected'
                else reason
            end as code,
            stream,
            location,
            coalesce(file_row, 0) as file_row,
            location || coalesce(' row ' || file_row, '') as place,
            detail
        from {{ ref("quarantine") }} as quarantine
        left join
            {{ ref("stg_telemetry__batches") }} as batches on batches.batch_location = quarantine.location
        where source = 'telemetry'
    ),

    -- `subject`: the file or stream of which every record is rejected.
    rejected_usage as (
        select
            *,
            case
                when code = 'file-rejected'
                then location
                when code in ('unknown-stream', 'stream-rejected')
                then stream
            end as subject
        from judged_usage
    ),

    -- What rejected rows of revenue say, as far as it can be read.
    rejected_revenue as (
        select
            *,
            coalesce(upper(json_extract_string(row_read, '$.currency')), 'without a currency') as currency,
            try_cast(json_extract_string(row_read, '$.amount') as decimal(38, 12)) as revenue
        from
            (
                select *, case when json_valid(row_text) then row_text end as row_read
                from {{ ref("revenue_quarantine") }}
            )
    ),

    rejected_amounts as (
        select
            source_file,
            string_agg(
                cast(revenue as decimal(38, 2)) || ' ' || currency, ' and ' order by currency
            ) as amounts
        from
            (
                select source_file, currency, sum(revenue) as revenue
                from rejected_revenue
                where revenue is not null
                group by all
            )
        group by source_file
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
        where customers.is_customer and not customers.is_listed
        group by all
    ),

    listed as (
        select customer_id as name
        from {{ ref("customers") }}
        where is_listed
        union
        select alias as name
        from {{ ref("stg_customers__aliases") }}
    ),

    listed_names as (select lower(name) as lowered_name, min(name) as name from listed group by lower(name)),

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

    -- Columns that a rule refers to, without values in any delivery of a source's month; and those that
    -- every bill has (a warning at landing), without values in one delivery.
    empty_columns as (
        select
            notes.* replace (
                case
                    when list_contains({{ columns_of_rules() }}::varchar[], split_part(subject, ': ', 2))
                    then 'warning'
                    else severity
                end as severity
            )
        from {{ source("landing", "notes") }} as notes
        inner join
            {{ ref("delivered_months") }} as bills
            on bills.x_source_name = split_part(notes.place, '/', 1)
            and bills.billing_period = notes.billing_period
        where notes.code = 'column-without-values'
        qualify
            notes.severity = 'warning'
            or count(*) over (partition by notes.subject, notes.billing_period) = bills.delivery_count
    ),

    found as (
        select
            code,
            case when subject is null then 'warning' else 'error' end as severity,
            'telemetry' as source,
            subject,
            count(*) as row_count,
            case
                code
                when 'file-rejected'
                then 'every record of the file is rejected, the first: '
                when 'stream-rejected'
                then 'no record of stream "' || subject || '" counts, the first is rejected: '
                else ''
            end
            || min_by(detail, (location, file_row))
            || case
                when count(distinct location) > 1
                then ' (in ' || count(distinct location) || ' files)'
                else ''
            end as message,
            min_by(place, (location, file_row)) as place
        from rejected_usage
        group by code, subject
        union all by name
        select
            case when files.source_file is null then 'file-rejected' else 'revenue-rejected' end as code,
            case when files.source_file is null then 'error' else 'warning' end as severity,
            'revenue' as source,
            rejected.source_file as subject,
            count(*) as row_count,
            case when files.source_file is null then 'every row of the file is' else 'rows are' end
            || ' rejected and in no margin'
            || coalesce(', with revenue of ' || any_value(rejected_amounts.amounts), '')
            || ', the first because '
            || min_by(rejected.reason, rejected.source_row) as message,
            rejected.source_file || ' row ' || min(rejected.source_row) as place
        from rejected_revenue as rejected
        left join rejected_amounts using (source_file)
        left join
            (select distinct source_file from {{ ref("stg_revenue__revenue") }}) as files using (source_file)
        group by rejected.source_file, files.source_file
        union all by name
        select
            case when is_whole_file then 'file-rejected' else source || '-rejected' end as code,
            case when is_whole_file then 'error' else 'warning' end as severity,
            source,
            location as subject,
            count(*) as row_count,
            case when is_whole_file then 'no row of the file counts, the first is ' else '' end
            || 'rejected: '
            || min_by(coalesce(detail, reason), coalesce(file_row, 0)) as message,
            location || coalesce(' row ' || min(file_row), '') as place
        from {{ ref("quarantine") }}
        where source <> 'telemetry'
        group by source, location, is_whole_file, case when is_whole_file then 'any' else reason end
        union all by name
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
        where exists (select 1 from listed)
        union all by name
        select
            'customer-id-reserved' as code,
            'warning' as severity,
            'customers' as source,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            count(*) as row_count,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'the bill names a customer "unallocated" or "long tail", which stand for cost without a customer: it is unallocated; '
            || 'rename the customer in the tag that allocation.yml reads, or let its rule leave these values out'
            as message,
            'customer_costs_daily' as place
        from {{ ref("customer_costs_daily") }}
        where unallocated_reason = 'reserved customer id'
        group by billing_currency
        union all by name
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
        where not exists (select 1 from listed)
        group by billing_currency
        union all by name
        select
            'month-not-billed-to-its-end' as code,
            'warning' as severity,
            'billing' as source,
            cast(bills.billing_period || '-01' as date) as billing_month,
            bills.last_usage_date,
            bills.x_source_name as subject,
            costs.billing_currency,
            sum(costs.hop_cost) as effective_cost,
            'the month is over and the bill of '
            || bills.x_source_name
            || ' has usage through '
            || bills.last_usage_date
            || ' only'
            || case
                when
                    cast(bills.billing_period || '-01' as date)
                    in (select billing_month from {{ ref("company_margins_monthly") }} where revenue <> 0)
                then ', so margins set the revenue of the whole month against the cost of these days'
                else ''
            end
            || '; deliver the rest of the bill' as message,
            'reconciliation' as place
        from {{ ref("delivered_months") }} as bills
        inner join
            {{ ref("reconciliation") }} as costs
            on costs.billing_month = cast(bills.billing_period || '-01' as date)
            and costs.x_source_name = bills.x_source_name
            and costs.hop = 'marts'
            and costs.cost_column = 'effective_cost'
        inner join
            {{ ref("billed_months") }} as months
            on months.billing_month = cast(bills.billing_period || '-01' as date)
            and not months.is_running
        -- Providers with daily charges bill the last day of a finished month.
        where bills.last_usage_date < last_day(cast(bills.billing_period || '-01' as date))
        group by all
        union all by name
        select
            'cost-missing' as code,
            case when finding = 'pricing_public_on_demand_cost' then 'note' else 'warning' end as severity,
            'billing' as source,
            cast(billing_period || '-01' as date) as billing_month,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            x_source_name || ': ' || finding as subject,
            sum(row_count) as row_count,
            billing_currency,
            sum(amount) as effective_cost,
            case
                when finding like 'EffectiveCost of %'
                then 'the bill has an ' || finding || ': ' || detail
                else 'the bill has no ' || finding || ' on these rows (or 0 throughout): ' || detail
            end as message,
            min_by(x_landed_file, (x_landed_file, x_landed_row))
            || ' row '
            || min_by(x_landed_row, (x_landed_file, x_landed_row)) as place
        from {{ ref("cost_findings") }}
        where finding <> 'cause'
        group by x_source_name, billing_period, billing_currency, finding, detail
        union all by name
        select
            'effective-cost-unexplained' as code,
            case when abs(amount) < 0.01 then 'note' else 'warning' end as severity,
            'billing' as source,
            billing_month,
            x_source_name as subject,
            billing_currency,
            amount as effective_cost,
            'effective cost less billed cost, for which the bill names no cause (fees of commitments, their use,'
            || ' amortisation): ask the provider, or look at its rows' as message,
            'cost_bridge' as place
        from {{ ref("cost_bridge") }}
        where cause = 'unexplained'
        union all by name
        select
            'commitment-not-used' as code,
            'warning' as severity,
            'billing' as source,
            min(usage_date) as first_usage_date,
            max(usage_date) as last_usage_date,
            x_source_name || ': ' || coalesce(commitment_discount_id, 'without an id') as subject,
            sum(row_count) as row_count,
            billing_currency,
            - sum(amount) as effective_cost,
            'the fee of this commitment counts 0, and no row of the bill carries it as used or unused yet'
            as message,
            min_by(x_landed_file, (usage_date, x_landed_file, x_landed_row))
            || ' row '
            || min_by(x_landed_row, (usage_date, x_landed_file, x_landed_row)) as place
        from {{ ref("cost_findings") }}
        where finding = 'cause'
        group by x_source_name, billing_currency, commitment_discount_id
        having bool_and(detail in ('commitment fees', 'upfront fees', 'refunded fees')) and sum(amount) < 0
        union all by name
        select
            'no-usage' as code,
            -- Of usage that was sent and rejected as a whole, this is the money.
            case
                when exists (select 1 from rejected_usage where subject is not null)
                then 'error'
                else 'warning'
            end as severity,
            'telemetry' as source,
            billing_month,
            billing_currency,
            sum(effective_cost) as effective_cost,
            'cost is unallocated because no usage divides it: see which rules and streams in '
            || 'allocation_explanations, and whether their records arrived' as message,
            'customer_costs_monthly' as place
        from {{ ref("customer_costs_monthly") }}
        where unallocated_reason = 'no usage'
        group by billing_month, billing_currency
        having sum(effective_cost) <> 0
        union all by name
        select
            code,
            'warning' as severity,
            'telemetry' as source,
            first_usage_date,
            last_usage_date,
            stream as subject,
            billing_currency,
            effective_cost,
            message,
            'usage_daily' as place
        from {{ ref("stream_alarms") }}
        union all by name
        select
            'filter-without-cost' as code,
            'warning' as severity,
            'telemetry' as source,
            filters.first_usage_date,
            filters.last_usage_date,
            filters.stream || ' ' || filters.filter as subject,
            filters.row_count,
            'usage divides nothing: no charge has this '
            || filters.dimension
            || coalesce(
                '; one has "' || (
                    select min(charged.element)
                    from charged_elements as charged
                    where
                        charged.dimension = filters.dimension
                        and contains(lower(filters.filter), lower('"' || charged.element || '"'))
                )
                || '"',
                ''
            ) as message,
            'usage_daily' as place
        from filters
        left join
            charged_elements
            on charged_elements.dimension = filters.dimension
            and list_contains(
                cast(json_extract(filters.filter, '$.' || filters.dimension) as varchar[]),
                charged_elements.element
            )
        group by all
        having count(charged_elements.element) = 0
        union all by name
        select
            case
                when listed_names.name is not null then 'customer-capitals' else 'customer-not-listed'
            end as code,
            'warning' as severity,
            'revenue' as source,
            revenue.customer_id as subject,
            count(*) as row_count,
            revenue.billing_currency,
            'revenue of '
            || cast(sum(revenue.revenue) as decimal(38, 2))
            || ' is for "'
            || revenue.customer_id
            || '", which the customer list '
            || coalesce('writes "' || listed_names.name || '"', 'does not have') as message,
            min(revenue.source_file || ' row ' || revenue.source_row) as place
        from {{ ref("stg_revenue__revenue") }} as revenue
        left join listed_names on listed_names.lowered_name = lower(revenue.customer_id)
        where revenue.customer_id not in (select name from listed) and exists (select 1 from listed)
        group by revenue.customer_id, revenue.billing_currency, listed_names.name
        union all by name
        select * exclude (billing_period), cast(billing_period || '-01' as date) as billing_month
        from {{ source("landing", "notes") }}
        where code <> 'column-without-values'
        union all by name
        select
            code,
            severity,
            source,
            subject,
            case
                when count(distinct billing_period) = 1 then cast(min(billing_period) || '-01' as date)
            end as billing_month,
            sum(row_count) as row_count,
            message,
            min(place) as place
        from empty_columns
        where severity = 'warning'
        group by code, severity, source, subject, message
    )

select
    code,
    severity,
    source,
    billing_month,
    first_usage_date,
    last_usage_date,
    subject,
    cast(row_count as bigint) as row_count,
    billing_currency,
    cast(effective_cost as decimal(38, 12)) as effective_cost,
    message,
    place
from found
