"""YAML and macros for generated models: docs, tests, and the dimensions' columns in contracts.

In a hand-written model's `.yml`, the placeholder column `- name: __dimensions__` is replaced by one column
per dimension, so that a new dimension changes no hand-written file. With `type: categorical` below it, it
stands for the dimensions of a semantic model.
"""

from __future__ import annotations

import json
import re

from orchestration.compiler.emitting.classification import dimension_columns
from orchestration.compiler.emitting.splits import CHARGE_PART, CHARGE_SHARE
from orchestration.compiler.language.charge_columns import AMOUNT_COLUMNS, CLASSIFIED_COLUMNS
from orchestration.compiler.language.conditions import (
    AccountFact,
    ChargeColumn,
    CostCategory,
    ResourceFact,
    Subject,
    Tag,
)
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import Dimension, Program
from orchestration.compiler.language.references import all_subjects
from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS

_PLACEHOLDER = re.compile(
    r"^(?P<indent>[ ]*)- name: (['\"]?)__dimensions__\2[ ]*(#.*)?(?P<categorical>\n[ ]*type: categorical)?$",
    re.MULTILINE,
)

_NAME = re.compile(r"\bname:[ ]*['\"]?([A-Za-z_][A-Za-z0-9_]*)")
_TABLES = {
    "allocation_rules": (
        "One row per allocation rule and stream; per rule and customer where shares are fixed.",
        ["rule_name", "stream", "fixed_customer_id"],
        {
            "rule_name": "Name of the rule in allocation.yml.",
            "rule_position": "Position of the rule, from 1; the first that matches wins.",
            "method": "How cost is divided: to, stream, allocated_cost, even, fixed or none.",
            "stream": "Telemetry stream whose usage divides the cost; null for other methods.",
            "weight": "Weight of the stream, or the customer's fixed share; 1 for one alone.",
            "granularity": "hourly or daily: the time within which usage and cost meet.",
            "when_no_usage": "Windows to look for usage in, in order; unallocated ends them.",
            "fixed_customer_id": "Customer of a fixed share; null for other methods.",
            "context_file": "Context file of the rule.",
            "context_line": "Line of the rule in that file.",
        },
    ),
    "context_rules": (
        "One row per dimension and rule; position 0 is the dimension's default.",
        ["dimension", "rule_position"],
        {
            "dimension": "Name of the dimension.",
            "rule_position": "Position of the rule, from 1; the first that matches wins; 0 for the default.",
            "element": "Element that the rule gives, or in brackets where it takes it from.",
            "rule_text": "The rule as it is written.",
            "context_file": "Context file of the rule.",
            "context_line": "Line of the rule in that file.",
        },
    ),
    "signal_facts": (
        "One row per fact of a resource or account that the rules look at.",
        ["signal", "fact"],
        {
            "signal": "What has it: resource or account.",
            "path": "Relationships that lead from the charge's resource to the one meant; empty for itself.",
            "fact": "Its name in resource_facts and account_facts.",
            "field": "Column of resources or accounts that holds it.",
            "key": "Key of it, where that is a map of tags or attributes.",
        },
    ),
    "split_rules": (
        "One row per dimension, rule that splits charges, and element that the rule names.",
        ["dimension", "rule_position", "element"],
        {
            "dimension": "Name of the dimension.",
            "rule_position": "Position of the rule among those of the dimension, from 1.",
            "method": "How a charge is divided: fixed, even or stream.",
            "split_id": "Id of the usage that decides, in split_shares; null for other methods.",
            "stream": "Telemetry stream whose usage divides the charge; null for other methods.",
            "element": "Element that gets a part; null where usage may name any.",
            "share": "The element's fixed share; null for other methods.",
            "when_no_usage": "Windows to look for usage in when the day has none, in order.",
            "context_file": "Context file of the rule.",
            "context_line": "Line of the rule in that file.",
        },
    ),
    "dimension_elements": (
        "One row per dimension.",
        ["dimension"],
        {
            "dimension": "Name of the dimension.",
            "elements": "All elements that its rules can give; null where a value or usage may name others.",
        },
    ),
    "telemetry_streams": (
        "One row per telemetry stream.",
        ["stream"],
        {
            "stream": "Name of the stream.",
            "unit": "What one of it is.",
            "granularity": "hourly or daily: how its usage is counted.",
            "description": "What the stream measures.",
            "context_file": "Context file of the stream.",
            "context_line": "Line of the stream in that file.",
        },
    ),
}


def quoted(text: str) -> str:
    """Text as a YAML value on one line, whatever it contains."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def model_yaml(plan: Plan) -> dict[str, str]:
    """One `.yml` per generated model, by its path in the dbt project."""
    files = {f"models/rules/{name}.yml": _table_yaml(name) for name in _TABLES}
    files["models/context/charges_in_context.yml"] = _charges_yaml(plan)
    return files


def dimension_names_macro(plan: Plan) -> str:
    """The macro that gives hand-written models the list of dimensions."""
    names = ", ".join(f"'{dimension.name}'" for dimension, _, _ in dimension_columns(plan))
    return f"{{% macro dimension_names() %}}{{{{ return([{names}]) }}}}{{% endmacro %}}\n"


def reserved_customers_macro() -> str:
    """The macro with the reserved customer ids, as a list of literals."""
    names = ", ".join(f"'{name}'" for name in RESERVED_CUSTOMERS)
    return f"{{% macro reserved_customers() %}}({names}){{% endmacro %}}\n"


def columns_of_rules_macro(program: Program) -> str:
    """The macro with the charge columns that rules refer to."""
    names = {name for subject in all_subjects(program) if (name := _charge_column(subject))}
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    return f"{{% macro columns_of_rules() %}}{{{{ return([{listed}]) }}}}{{% endmacro %}}\n"


def _charge_column(subject: Subject) -> str | None:
    match subject:
        case ChargeColumn():
            return subject.name
        case Tag():
            return "tags"
        case CostCategory():
            return "cost_categories"
        case ResourceFact():
            return "resource_id"
        case AccountFact():
            return "sub_account_id"
        case _:
            return None


def signals_read_macro(plan: Plan) -> str:
    """The macro with the signals that rules read: changes of other signals change no charge."""
    read = {"resources": plan.resource_facts, "accounts": plan.account_facts}
    names = ", ".join(f"'{name}'" for name, facts in read.items() if facts)
    return f"{{% macro signals_read() %}}{{{{ return([{names}]) }}}}{{% endmacro %}}\n"


def fill_template(template: str, plan: Plan) -> str:
    """A model's YAML with one column per dimension in place of the placeholder."""
    dimensions = [dimension for dimension, _, _ in dimension_columns(plan)]

    def filled(match: re.Match[str]) -> str:
        return _columns(dimensions, match["indent"], "type" if match["categorical"] else "data_type")

    return _PLACEHOLDER.sub(filled, template)


def has_placeholder(template: str) -> bool:
    """Whether a model's YAML has the placeholder column."""
    return _PLACEHOLDER.search(template) is not None


def column_names(template: str) -> frozenset[str]:
    """The names that a model's YAML gives to anything, its columns among them."""
    return frozenset(_NAME.findall(template))


def _columns(dimensions: list[Dimension], indent: str, type_key: str) -> str:
    """A list item per dimension: of a contract's columns, or of a semantic model's dimensions."""
    type_of_one = "varchar" if type_key == "data_type" else "categorical"
    lines = []
    for dimension in dimensions:
        lines += [
            f"{indent}- name: {dimension.name}",
            f"{indent}  {type_key}: {type_of_one}",
            f"{indent}  description: {quoted(dimension.description)}",
        ]
    return "\n".join(lines)


def _table_yaml(name: str) -> str:
    description, key, columns = _TABLES[name]
    lines = [
        "version: 2",
        "",
        "models:",
        f"  - name: {name}",
        f"    description: {quoted(description)}",
        "    config:",
        "      meta:",
        f"        one_row_per: [{', '.join(key)}]",
        "    columns:",
    ]
    for column, meaning in columns.items():
        lines += [f"      - name: {column}", f"        description: {quoted(meaning)}"]
    return "\n".join(lines) + "\n"


def _charges_yaml(plan: Plan) -> str:
    lines = [
        "version: 2",
        "",
        "models:",
        "  - name: charges_in_context",
        "    description: >-",
        "      One row per charge, or per part of a charge that a rule splits: its element of every",
        "      dimension and the rule that gave it.",
        "    columns:",
    ]
    parts = {
        CHARGE_PART: "0 for a whole charge; the parts of a split one have numbers from 1.",
        CHARGE_SHARE: "How much of the charge the row is, from 0 to 1; its parts add up to exactly 1.",
        **dict.fromkeys(AMOUNT_COLUMNS, "As in charges; of a part, its part of that."),
    }
    for column in (CHARGE_PART, CHARGE_SHARE, *CLASSIFIED_COLUMNS):
        meaning = quoted(parts.get(column, "As in charges."))
        lines += [f"      - name: {column}", f"        description: {meaning}"]
    for dimension, element, rule in dimension_columns(plan):
        lines += [
            f"      - name: {element}",
            f"        description: {quoted(dimension.description + '; null where no rule matched')}",
        ]
        meaning = (
            f"Position of the rule that gave the {dimension.name}: 0 for the default, null for unmatched."
        )
        lines += [f"      - name: {rule}", f"        description: {quoted(meaning)}"]
    others = {
        "cost_of_goods_sold": "Whether the charge counts as cost of goods sold.",
        "allocation_rule": "Rule of allocation.yml that divides the charge; null where none matches.",
        "direct_customer_id": "Customer that carries the whole charge; null where it is divided.",
    }
    for column, meaning in others.items():
        lines += [f"      - name: {column}", f"        description: {quoted(meaning)}"]
    return "\n".join(lines) + "\n"
