"""How much of the sample's bill the contexts explain, and by which signal.

Read from the working database, which alone has every charge's tags and matching rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orchestration.outputs.read_only import open_working
from orchestration.settings import Settings

# Signals that rules use. A rule with several counts as the first of these: a disk whose instance is tagged is
# found by a relation, not by a tag. `name`: of a resource, service or kind.
SIGNS = ("relation", "Kubernetes", "account", "tag", "dimension", "name")

# Tags set by AWS itself (a pod's cluster and namespace) do not count as tagging.
_TAGGED = """
select
    coalesce(
        sum(effective_cost) filter (
            len(list_filter(map_keys(tags), lambda key: not starts_with(key, 'aws_'))) > 0
        ),
        0
    )::decimal(38, 12),
    sum(effective_cost)::decimal(38, 12)
from staging.charges
"""
_DIMENSIONS = "select distinct dimension from rules.context_rules order by dimension"
_BY_SIGN = """
select
    case
        when regexp_matches(rule_text, '\\b(related|resource):') then 'relation'
        when regexp_matches(rule_text, '\\bk8s:') then 'Kubernetes'
        when regexp_matches(rule_text, '\\baccount:') then 'account'
        when regexp_matches(rule_text, '\\btag:') then 'tag'
        when regexp_matches(rule_text, '\\bdimension:') then 'dimension'
        else 'name'
    end as sign,
    sum(charges.effective_cost)::decimal(38, 12)
from context.charges_in_context as charges
join
    rules.context_rules as rules
    on rules.dimension = '{dimension}'
    and rules.rule_position = charges.{dimension}_rule
where rules.rule_position > 0
group by sign
"""


@dataclass(frozen=True)
class Explained:
    """Effective cost of the whole bill; `tagged` is the part with user-defined tags.

    `by_sign` is, per dimension, the cost matched by rules (not the default), by the rule's signal (`SIGNS`).
    """

    total: Decimal
    tagged: Decimal
    by_sign: dict[str, dict[str, Decimal]]

    def matched(self, dimension: str) -> Decimal:
        """Cost matched by any rule of the dimension."""
        return sum(self.by_sign[dimension].values(), Decimal(0))

    def percent(self, cost: Decimal) -> Decimal:
        """`cost` as a percentage of the whole bill, one digit."""
        return (100 * cost / self.total).quantize(Decimal("0.1"))


def explained_cost(settings: Settings) -> Explained:
    """Read it from the last run. Raises `NotReadableError` if there was none."""
    with open_working(settings) as warehouse:
        tagged, total = warehouse.execute(_TAGGED).fetchall()[0]
        # Safe to interpolate: the compiler only allows letters, digits and underscores in dimension names.
        names = [name for (name,) in warehouse.execute(_DIMENSIONS).fetchall()]
        by_sign = {
            name: dict(warehouse.execute(_BY_SIGN.format(dimension=name)).fetchall()) for name in names
        }
    return Explained(total, tagged, by_sign)
