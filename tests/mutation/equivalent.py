"""Mutants that mean the same as what they change: no test can notice them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.mutation.mutants import Mutant


@dataclass(frozen=True)
class Equivalent:
    """`found` becoming `put` in the line `text` of `path` changes no result, for this `reason`."""

    path: str
    text: str
    found: str
    put: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Whether this is the mutant."""
        told = (mutant.path, mutant.text, mutant.found.strip(), mutant.put.strip())
        return told == (self.path, self.text, self.found, self.put)


EQUIVALENT = (
    Equivalent(
        "dbt_project/models/staging/billing/stg_aws_cur__net_bills.sql",
        "select distinct",
        "distinct",
        "",
        "bills are only looked up in it",
    ),
    Equivalent(
        "dbt_project/models/usage/split_parts.sql",
        "where method = 'stream'",
        "where",
        "where true or",
        "other splits have no split_id, which nothing joins",
    ),
    Equivalent(
        "dbt_project/models/usage/split_shares.sql",
        "answers as (select distinct usage_date, split_id, usage_window, preference from element_usage),",
        "distinct",
        "",
        "what is joined is grouped, with a maximum",
    ),
    Equivalent(
        "orchestration/sources/telemetry/file_forms.py",
        "WHERE batch IN (SELECT batch FROM judged WHERE reason = '{UNDECIDED}')",
        "WHERE",
        "WHERE true or",
        "forms are joined to waiting rows only; of the others they are found in vain",
    ),
    Equivalent(
        "dbt_project/macros/judged_usage.sql",
        "from (select distinct filter from records where filter is not null)",
        "distinct",
        "",
        "problems of a filter are grouped by its text",
    ),
    Equivalent(
        "dbt_project/macros/judged_usage.sql",
        "from (select distinct filter from records where filter is not null)",
        "where",
        "where true or",
        "no filter names no dimension",
    ),
    Equivalent(
        "dbt_project/models/usage/usage_by_period.sql",
        "where usage_granularity = 'hourly' and stream_granularity = 'daily'",
        "where",
        "where true or",
        "a day of a daily stream may be cut into hours needlessly: they are added up to the day again",
    ),
    Equivalent(
        "dbt_project/macros/customer_costs.sql",
        'select *, min(pool_number) over (partition by {{ key | join(", ") }}) as key_number',
        "min(",
        "max(",
        "any pool of a key can stand for the key",
    ),
    Equivalent(
        "dbt_project/models/allocation/overhead_shares.sql",
        "having sum(share) > 0",
        "sum(",
        "max(",
        "no share is negative: the sum is above 0 if one of them is",
    ),
    Equivalent(
        "dbt_project/models/marts/customer_costs_daily.sql",
        "min(pools.service_category), min_by(listed.service_category, listed.position)",
        "min(",
        "max(",
        "a day and service has one category here, repeated for each one that is listed",
    ),
    Equivalent(
        "orchestration/sources/billing/formats/times.py",
        '"t_period_end when t_after > t_period_end then t_period_end else t_after end as t_until "',
        ">",
        ">=",
        "of two equal ends either can be taken",
    ),
)
