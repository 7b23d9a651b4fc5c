"""Ten dimensions of fifty rules each, as contexts and as somebody would write the same in SQL by hand.

What belongs here: the rules, once, in both forms. What does not: charges, and running anything on them
(`classification`).

The hand-written form is what a careful analyst would end up with: the tags taken out once, one CASE per
dimension that says which rule claims a charge, and a list of elements to look the rule up in.
"""

from __future__ import annotations

from orchestration.compiler.language.charge_columns import CLASSIFIED_COLUMNS

DIMENSIONS, RULES = 10, 50
TAGS = ("app", "team", "environment", "account", "owner")
# Per kind of rule: the condition in YAML and in SQL, with a number that no other rule has.
_KINDS = (
    ("{tag: app, equals: app-N}", "app = 'app-N'"),
    ("{tag: team, in: [team-N, team-N-a, team-N-b]}", "team in ('team-N', 'team-N-a', 'team-N-b')"),
    ("{k8s: namespace, starts_with: ns-N-}", "starts_with(x_kubernetes_namespace, 'ns-N-')"),
    ("{charge: resource_id, contains: /N/}", "contains(resource_id, '/N/')"),
    (
        "{all: [{charge: service_name, equals: Service N}, {charge: region_id, equals: region-1}]}",
        "service_name = 'Service N' and region_id = 'region-1'",
    ),
    (
        "{any: [{account: id, equals: 'N'}, {tag: account, equals: 'N'}]}",
        "(sub_account_id = 'N' or account = 'N')",
    ),
    ("{tag: app, matches: '^app-N[0-9]$'}", "regexp_matches(app, '^app-N[0-9]$')"),
    ("{charge: x_usage_type, ends_with: ':N'}", "ends_with(x_usage_type, ':N')"),
    (
        "{all: [{not: {tag: team, exists: true}}, {charge: x_operation, equals: OperationN}]}",
        "team is null and x_operation = 'OperationN'",
    ),
    (
        "{tag: environment, equals: stAge-N, ignore_case: true}",
        "lower(environment) = 'stage-N'",
    ),
)
_OWNER_YAML = (
    "  - from: {tag: owner}\n    transform: [trim, lower, {replace: {pattern: '[ _]+', with: '-'}}]\n"
)
_OWNER_SQL = r"nullif(regexp_replace(lower(trim(owner, e' \t\n\r')), '[ _]+', '-', 'g'), '')"


def contexts() -> dict[str, str]:
    """The rules as context files."""
    files = {"allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n"}
    for dimension in range(DIMENSIONS):
        name = f"dimension_{dimension}"
        rules = [
            f"  - element: {_element(dimension, rule)}\n    when: {_condition(dimension, rule, 0)}\n"
            for rule in range(RULES - 1)
        ]
        head = f"dimension: {name}\ndescription: Dimension {dimension}\ndefault: other\nrules:\n"
        files[f"dimensions/{name}.yml"] = "".join([head, *rules, _OWNER_YAML])
    return files


def by_hand() -> str:
    """The same as one query on the table `charges`."""
    tags = [f"nullif(tags['{tag}'], '') as {tag}" for tag in TAGS]
    rules, elements = [], []
    for dimension in range(DIMENSIONS):
        name = f"dimension_{dimension}"
        branches = [
            f"            when {_condition(dimension, rule, 1)} then {rule + 1}" for rule in range(RULES - 1)
        ]
        branches.append(f"            when owner_name is not null then {RULES}")
        case = "\n".join(["case", *branches, "            else 0", "        end"])
        rules.append(f"cast({case} as smallint) as {name}_rule")
        names = ", ".join(f"'{_element(dimension, rule)}'" for rule in range(RULES - 1))
        elements += [
            f"case {name}_rule when {RULES} then owner_name when 0 then 'other'"
            f" else [{names}][{name}_rule] end as {name}",
            f"{name}_rule",
        ]
    allocation = (
        "true as cost_of_goods_sold",
        "null::varchar as allocation_rule",
        "null::varchar as direct_customer_id",
    )
    return "\n".join(
        [
            f"with tagged as (select *, {', '.join(tags)} from charges),",
            f"    owned as (select *, {_OWNER_SQL} as owner_name from tagged),",
            "    matched as (select *,\n        " + ",\n        ".join(rules) + " from owned)",
            "select " + ",\n    ".join([*CLASSIFIED_COLUMNS, *elements, *allocation]) + " from matched",
        ]
    )


def _element(dimension: int, rule: int) -> str:
    return f"Element {dimension}.{rule // 2}"


def _condition(dimension: int, rule: int, form: int) -> str:
    return _KINDS[rule % len(_KINDS)][form].replace("N", str(dimension * RULES + rule))
