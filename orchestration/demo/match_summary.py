"""How much of the sample's bill the contexts explain, by what sign, though less than half of it is tagged.

Asked of the working database, which alone has the tags of every charge and the rule that claimed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from orchestration.outputs.databases import open_working
from orchestration.settings import Settings

# What a rule goes by. One that looks at several is counted as the first of these that it looks at: a disk
# whose machine is tagged is found by a relation, not by a tag. `name`: that of a resource, service or kind.
SIGNS = ("relation", "Kubernetes", "account", "tag", "dimension", "name")

# Tags that AWS sets by itself (of a pod: its cluster, its namespace) are nobody's tagging.
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
    """Effective cost of the whole bill: `tagged` carries any tag that people set.

    `by_sign` says per dimension what a rule, and not the default, claims, by what the rule goes by (`SIGNS`).
    """

    total: Decimal
    tagged: Decimal
    by_sign: dict[str, dict[str, Decimal]]

    def matched(self, dimension: str) -> Decimal:
        """What any rule of the dimension claims."""
        return sum(self.by_sign[dimension].values(), Decimal(0))

    def percent(self, cost: Decimal) -> Decimal:
        """`cost` in percent of the whole bill, one digit."""
        return (100 * cost / self.total).quantize(Decimal("0.1"))


def explained_cost(settings: Settings) -> Explained:
    """Read it from the last run. Raises `NotReadableError` when there was none."""
    with open_working(settings) as warehouse:
        tagged, total = warehouse.execute(_TAGGED).fetchall()[0]
        # Names of dimensions are letters, digits and underscores: the compiler lets no others through.
        names = [name for (name,) in warehouse.execute(_DIMENSIONS).fetchall()]
        by_sign = {
            name: dict(warehouse.execute(_BY_SIGN.format(dimension=name)).fetchall()) for name in names
        }
    return Explained(total, tagged, by_sign)
