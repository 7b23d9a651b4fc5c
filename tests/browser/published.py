"""Published marts of a made-up company of any size, without a job: tables of the contracts, filled by SQL.

What belongs here: marts that are consistent with each other. What does not: how the job makes them; that the
report shows what a real job published is tested in `tests/end_to_end`.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.settings import PROJECT_ROOT, Settings

CONTRACTS = PROJECT_ROOT / "dbt_project" / "models" / "marts"
DIMENSIONS = ("feature", "product", "team")
COSTS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
FEATURES = (
    ("Search", "Insights"),
    ("Dashboards & <b>charts</b>", "Insights"),
    ("Ingest", "Pipelines"),
    ("Shared platform", "Shared platform"),
)
SERVICES = ("Amazon EC2", "Amazon S3", "Amazon RDS", "AWS Data/Transfer & more")
SEGMENTS = ("enterprise", "mid-market", "startup")


@dataclass(frozen=True)
class Size:
    """How much there is. A cost falls due every `every` days: 1 is all days, 10 is three times a month."""

    customers: int = 30
    first_day: date = date(2026, 3, 1)
    days: int = 107
    services: int = 4
    every: int = 1
    names: tuple[str, ...] = ()


def publish(settings: Settings, size: Size) -> Path:
    """Lay out a snapshot as readers find it, and return its database."""
    folder = settings.published_folder / "snapshots" / "20260701T000000000000Z-made"
    folder.mkdir(parents=True)
    description = {"id": folder.name, "created": "2026-07-01T06:00:00+00:00"}
    (folder / "snapshot.json").write_text(json.dumps(description))
    with closing(duckdb.connect(str(folder / "marts.duckdb"))) as marts:
        marts.execute("set enable_progress_bar = false")
        for name, columns in contracts().items():
            described = ", ".join(f"{column} {kind}" for column, kind in columns)
            marts.execute(f"create table {name} ({described})")
        for statement in _filled(size):
            marts.execute(*statement)
    (settings.published_folder / "current").symlink_to(Path("snapshots") / folder.name)
    (settings.published_folder / "current.duckdb").symlink_to(Path("current", "marts.duckdb"))
    return folder / "marts.duckdb"


def contracts() -> dict[str, list[tuple[str, str]]]:
    """Of every mart the columns and their types, as dbt enforces them."""
    found = {}
    for path in sorted(CONTRACTS.glob("*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            columns: list[tuple[str, str]] = []
            for column in model["columns"]:
                named = DIMENSIONS if column["name"] == "__dimensions__" else (column["name"],)
                columns += [(name, column.get("data_type", "varchar")) for name in named]
            found[model["name"]] = columns
    return found


def _filled(size: Size) -> list[tuple[str, dict[str, Any]]]:
    given = {
        "customers": size.customers,
        "first_day": size.first_day,
        "days": size.days,
        "every": size.every,
        "names": list(size.names),
        "segments": list(SEGMENTS),
        "features": [feature for feature, _ in FEATURES],
        "products": [product for _, product in FEATURES],
        "services": list(SERVICES[: size.services]),
    }
    used = lambda sql: (sql, {name: value for name, value in given.items() if f"${name}" in sql})  # noqa: E731
    return [
        used(sql)
        for sql in (
            *_CUSTOMERS_AND_COSTS,
            _IN_EUROS,
            _NAMES,
            *_SUMS,
            *_MARGINS,
            *_COMPANY_MARGINS,
            *_ANOMALIES,
            *_USAGE,
            *_THE_REST,
        )
    ]


def _all_costs(amount: str) -> str:
    return ", ".join(f"{amount} as {column}" for column in COSTS)


_CUSTOMERS_AND_COSTS = (
    """
    insert into customers by name
    select
        'cust-' || lpad(i::varchar, 5, '0') as customer_id,
        coalesce($names[i + 1], 'Customer ' || i) as customer_name,
        $segments[(hash(i) % 3)::integer + 1] as segment,
        'Standard' as plan,
        true as is_customer,
        true as is_listed,
        $first_day as first_cost_date,
        $first_day + $days - 1 as last_cost_date
    from range($customers) as numbers (i)
    """,
    """
    insert into customers by name
    select 'unallocated' as customer_id, 'unallocated' as customer_name, 'unallocated' as segment,
        false as is_customer, false as is_listed
    """,
    # Amounts with 24 digits that mean something, some of them credits; the later, the more customers.
    f"""
    insert into customer_costs_daily by name
    with
        placed as (
            select i, n * $every + hash(i, n, f) % $every as d, f, s, hash(i, n, f, s) as chance
            from range($customers) as i (i), range(1 + ($days - 1) // $every) as n (n),
                range(len($features)) as f (f), range(len($services)) as s (s)
        ),
        priced as (
            select
                *,
                $first_day + d::integer as usage_date,
                case when i % 10 = 9 and f = 3 then -1 else 1 end
                    * ((chance % 2000000000000 + 1000)::hugeint * 1000000000000 + chance // 16777216)
                    * (if(i % 7 = 0, 9, 1)) as units
            from placed
            where d between (i * 7) % 61 - 20 and $days - 1
        )
    select
        usage_date,
        date_trunc('month', usage_date) as billing_month,
        'cust-' || lpad(i::varchar, 5, '0') as customer_id,
        $features[f + 1] as feature,
        $products[f + 1] as product,
        'team ' || (f + 1) as team,
        $services[s + 1] as service_name,
        'AWS' as provider_name,
        'Usage' as charge_category,
        case f when 3 then 'overhead' when 2 then 'direct' when 1 then if(i % 2 = 0, 'even', 'fixed')
            else 'usage' end as allocation_kind,
        'USD' as billing_currency,
        'bill' as x_source_name,
        {_all_costs("units::decimal(38, 0) * 0.000000000000000000000001")}
    from priced
    """,
    f"""
    insert into customer_costs_daily by name
    select
        $first_day + d::integer as usage_date,
        date_trunc('month', $first_day + d::integer) as billing_month,
        'unallocated' as customer_id,
        $features[4] as feature,
        $products[4] as product,
        $services[1] as service_name,
        'AWS' as provider_name,
        'Usage' as charge_category,
        'unallocated' as allocation_kind,
        ['no rule', 'not cost of goods sold'][r + 1] as unallocated_reason,
        'USD' as billing_currency,
        'bill' as x_source_name,
        {_all_costs("(7.123456789012345678901234 * (1 + d % 3) + r)::decimal(38, 24)")}
    from range($days) as d (d), range(2) as r (r)
    """,
    # A charge that reaches beyond the newest day: its rest is of no day that the page shows.
    f"""
    insert into customer_costs_daily by name
    select * exclude (usage_date, unallocated_reason, {", ".join(COSTS)}),
        usage_date + 2 as usage_date, 'day to come' as unallocated_reason, {_all_costs("3")}
    from customer_costs_daily
    where unallocated_reason = 'no rule' and usage_date = $first_day + $days - 1
    """,
)
# One customer also has a bill in another currency: sums never go across.
_IN_EUROS = f"""
    insert into customer_costs_daily by name
    select * exclude (billing_currency, {", ".join(COSTS)}), 'EUR' as billing_currency,
        {_all_costs("5.000000000000000000000001")}
    from customer_costs_daily
    where customer_id = 'cust-00004' and feature = $features[1] and service_name = $services[1]
"""
_NAMES = """
    update customer_costs_daily as costs
    set customer_name = customers.customer_name, segment = customers.segment
    from customers
    where customers.customer_id = costs.customer_id
"""
_COST_SUMS = ", ".join(f"sum({column})::decimal(38, 24) as {column}" for column in COSTS)
_SUMS = (
    f"""
    insert into customer_costs_monthly by name
    select
        date_trunc('month', usage_date)::date as usage_month, billing_month, customer_id,
        {", ".join(DIMENSIONS)}, service_name, allocation_kind, unallocated_reason, billing_currency,
        {_COST_SUMS}
    from customer_costs_daily
    group by all
    """,
    f"""
    insert into customer_totals_daily by name
    select usage_date, customer_id, billing_currency, {_COST_SUMS} from customer_costs_daily group by all
    """,
    """
    insert into average_customer_cost by name
    with
        periods as (
            select period_grain, period_start, billing_currency, customer_id, sum(effective_cost) as cost
            from
                (
                    select 'daily' as period_grain, usage_date as period_start, *
                    from customer_totals_daily
                    union all
                    select 'monthly', date_trunc('month', usage_date)::date, * from customer_totals_daily
                )
            where customer_id <> 'unallocated'
            group by all
        ),
        grouped as (
            select
                period_grain,
                period_start,
                unnest([null, customers.segment]) as segment,
                billing_currency,
                cost
            from periods
            join customers using (customer_id)
        )
    select
        period_grain, period_start, segment, billing_currency,
        count(*) as customer_count,
        if(segment is null or period_grain = 'monthly', null, sum(cost)::decimal(38, 24)) as daily_cost,
        if(segment is null or period_grain = 'daily', null, sum(cost)::decimal(38, 24)) as monthly_cost,
        (replace(sum(cost)::decimal(38, 24)::varchar, '.', '')::hugeint // count(*))::decimal(38, 0)
        * 0.000000000000000000000001 as mean_cost,
        quantile_disc(cost, 0.5) as median_cost,
        quantile_disc(cost, 0.9) as p90_cost,
        max(cost) as highest_cost,
        0.250000000000 as top_10_percent_share
    from grouped
    group by period_grain, period_start, segment, billing_currency
    """,
)
# What customers pay in the two newest whole months; one of them pays less than it costs.
_MARGINS = tuple(
    f"""
    insert into {mart} by name
    with
        costs as (
            select
                billing_month, customer_id, {key} as key, billing_currency,
                sum(effective_cost) as effective_cost
            from customer_costs_monthly
            join customers using (customer_id)
            where is_customer and billing_currency = 'USD'
            group by all
        ),
        paid as (
            select
                billing_month, key, billing_currency, sum(effective_cost) as effective_cost,
                sum(if(customer_id = 'cust-00002', 1, 2.5) * effective_cost - 20.000000000001)
                    ::decimal(38, 12) as revenue
            from costs
            group by all
        ),
        margins as (
            select *, revenue - effective_cost as gross_margin,
                lag(gross_margin) over (partition by key order by billing_month)
                    as previous_gross_margin
            from paid
        )
    select
        * exclude (key),
        key as {column},
        revenue as revenue_to_date,
        false as is_running,
        gross_margin - previous_gross_margin as gross_margin_change,
        (gross_margin * 1000000)::hugeint // nullif(revenue::hugeint, 0) * 0.000001 as gross_margin_ratio,
        'cost' as change_cause,
        previous_gross_margin as previous_revenue,
        1 as revenue_change,
        2 as cost_change
        {more}
    from margins
    """
    for mart, key, column, more in (
        (
            "segment_margins_monthly",
            "customers.segment",
            "segment",
            ", 'cust-00002' as changed_customer_id, 'it changed <most>' as changed_customer_name,"
            " 1 as changed_customer_margin",
        ),
        (
            "product_margins_monthly",
            "product",
            "product",
            ", 'it changed <most>' as changed_service, 1 as changed_service_cost",
        ),
        (
            "customer_margins_monthly",
            "customer_id",
            "customer_id",
            ", (select customer_name from customers where customer_id = key) as customer_name,"
            " (select segment from customers where customer_id = key) as segment,"
            " case when gross_margin < previous_gross_margin then row_number() over ("
            "partition by billing_month order by gross_margin - previous_gross_margin) end"
            " as margin_fall_rank, false as is_new, 'it changed <most>' as changed_service,"
            " 1 as changed_service_cost, 'feature' as changed_dimension, 1 as changed_element_cost",
        ),
    )
)
# Nobody carries 1000.00 of the cost of goods sold, 77.00 is not cost of goods sold, and 3.00 is to come.
_COMPANY_MARGINS = (
    """
    insert into company_margins_monthly by name
    select
        billing_month, billing_currency, false as is_running, sum(revenue) as revenue,
        sum(revenue) as revenue_to_date, sum(effective_cost) as carried_cost, 1000 as unallocated_cost,
        sum(effective_cost) + 1000 as effective_cost, sum(gross_margin) - 1000 as gross_margin,
        0.123456 as gross_margin_ratio, 77 as other_cost, 3 as cost_to_come
    from customer_margins_monthly
    group by all
    """,
)
_ANOMALIES = (
    """
    insert into cost_anomalies by name
    with
        spikes as (
            select
                customer_id, customer_name, feature as element, billing_currency, usage_date,
                sum(effective_cost)::decimal(38, 12) as actual_cost
            from customer_costs_daily
            where feature = 'Search' and billing_currency = 'USD' and usage_date = $first_day + 70
            group by all
        )
    select
        'anomaly-' || customer_id as anomaly_id,
        row_number() over (order by actual_cost desc, customer_id) as impact_rank,
        'customer_feature' as series_kind,
        'daily' as granularity,
        'spike' as anomaly_kind,
        customer_id,
        customer_name,
        element,
        'feature' as dimension,
        billing_currency,
        usage_date + interval 14 hour as started_at,
        usage_date + interval 20 hour as ended_at,
        false as is_ongoing,
        1.000000000001 as expected_cost,
        actual_cost,
        actual_cost - 1.000000000001 as cost_impact,
        0.5 as usage_effect,
        actual_cost - 1.500000000001 as rate_effect,
        9.5 as score,
        0.25 as share_of_spend,
        impact_rank < 3 as is_material,
        case when row_number() over (order by actual_cost desc, customer_id) = 2
            then 'anomaly-' || first_value(customer_id) over (order by actual_cost desc, customer_id)
        end as same_cause_as
    from spikes
    qualify impact_rank <= 3
    """,
    """
    insert into cost_anomaly_drivers by name
    select anomaly_id, 'service' as driver_kind, 'Amazon <i>EC2</i>' as driver, cost_impact
    from cost_anomalies
    """,
    """
    insert into cost_anomaly_drivers by name
    select anomaly_id, 'deployment' as driver_kind, 'search 7.2' as driver, started_at as happened_at
    from cost_anomalies
    """,
)
_USAGE = (
    """
    insert into usage_daily by name
    select
        usage_date,
        unnest(['search_queries', 'gib_ingested']) as stream,
        unnest(['query', 'GiB']) as unit,
        customer_id,
        unnest([(hash(customer_id, usage_date) % 5000)::decimal(38, 9), 0.000000001::decimal(38, 9)])
            as usage_quantity
    from customer_totals_daily
    where billing_currency = 'USD' and customer_id <> 'unallocated'
    """,
    """
    insert into allocation_explanations by name
    select
        usage_date, customer_id, feature, product, team, service_name, allocation_kind, unallocated_reason,
        billing_currency, effective_cost,
        'search' as allocation_rule,
        'allocation.yml:7' as rule_place,
        'stream' as method,
        'search_queries' as stream,
        'day' as usage_window,
        0.25 as share,
        1 as usage_quantity,
        4 as total_usage,
        effective_cost * 4 as pool_cost
    from customer_costs_daily
    where usage_date between $first_day + $days - 7 and $first_day + $days - 1
    """,
)
_THE_REST = (
    """
    insert into unit_costs_daily by name
    select
        usage_date,
        'search_queries' as stream,
        'query' as unit,
        customer_id,
        any_value(segment) as segment,
        billing_currency,
        1000 + (hash(usage_date) % 1000)::decimal(38, 9) / 1 as usage_quantity,
        sum(effective_cost) as billed_cost,
        sum(effective_cost) as effective_cost,
        0.001234567891 as effective_unit_cost
    from customer_costs_daily
    where feature = 'Search'
    group by usage_date, customer_id, billing_currency
    """,
    """
    insert into context_coverage by name
    select
        usage_date, billing_currency, dimension,
        case when dimension = 'team' and service_name = 'Amazon S3' then 'unmatched'
            when feature = 'Shared platform' then 'default' else 'rule' end as coverage,
        service_name,
        '111111111111' as sub_account_id,
        count(*) as charge_count,
        sum(effective_cost) as effective_cost
    from customer_costs_daily, (select unnest(['feature', 'product', 'team']) as dimension)
    group by all
    """,
    """
    insert into service_costs_daily by name
    select
        usage_date,
        service_name,
        if(customer_id < 'cust-00010', '111111111111', '222222222222') as sub_account_id,
        feature || ' ' || customer_id as usage_type,
        billing_currency,
        sum(effective_cost::decimal(38, 12)) as effective_cost
    from customer_costs_daily
    group by all
    """,
    # Of 57 days: two whole months.
    """
    insert into resource_costs_daily by name
    select
        usage_date,
        service_name,
        sub_account_id,
        usage_type,
        -- Every third day of charges without a resource.
        case when day(usage_date) % 3 > 0 then left(md5(usage_type), 8) || '-' || day(usage_date) % 3 end
            as resource_id,
        billing_currency,
        case when usage_type like 'Search%' then 'web' else resource_id end as resource_name,
        sum(effective_cost) as effective_cost
    from service_costs_daily
    where usage_date between $first_day + $days - 57 and $first_day + $days - 1
    group by all
    """,
    """
    insert into reconciliation by name
    with
        columns as (
            select unnest(['billed_cost', 'effective_cost', 'line_item_unblended_cost']) as cost_column
        ),
        hops as (
            select
                unnest(['files', 'landing', 'staging', 'marts']) as hop,
                unnest([0, 1, 2, 3]) as hop_number
        ),
        days as (
            select
                billing_month, usage_date, x_source_name, billing_currency, sum(effective_cost) as hop_cost
            from customer_costs_daily
            group by all
        )
    select *, case when hop_number > 0 then hop_cost end as previous_hop_cost, 0 as difference
    from days, columns, hops
    where cost_column <> 'line_item_unblended_cost' or hop_number < 2
    """,
    """
    insert into warnings by name
    select code, severity, subject, effective_cost, billing_currency, detail, 'billing' as source,
        4 as row_count, '2026-05-01' as billing_month, 'bill.csv, row 7' as place
    from
        (
            values
                ('customer_not_listed', 'warning', 'cust <b>9</b>', 12.345678901234, 'EUR', 'It is unlisted'),
                ('record_rejected', 'error', 'a <i>file</i>', 1.5, 'USD', 'Four rows are not numbers'),
                ('file_read', 'note', 'a file', null, null, 'Read with' || repeat(' a doubt', 40))
        ) as warnings (code, severity, subject, effective_cost, billing_currency, detail)
    """,
)
