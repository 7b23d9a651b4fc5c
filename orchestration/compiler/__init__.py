"""The context language: YAML text in, dbt files out.

`compile_contexts` is the entry point: `reading` turns text into a checked program, `emitting` writes it as
SQL and YAML. Pure: no files, clock or warehouse; the caller reads the contexts and writes the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.compiler.emitting import tables, yaml_files
from orchestration.compiler.emitting.classification import charges_in_context
from orchestration.compiler.emitting.signals import signal_facts
from orchestration.compiler.language.plan import Plan, make_plan
from orchestration.compiler.language.program import Program
from orchestration.compiler.problems import CODES, Problem, Problems
from orchestration.compiler.reading.check import check_program
from orchestration.compiler.reading.json_schema import context_json_schemas
from orchestration.compiler.reading.program import read_program

__all__ = ["CODES", "Compilation", "Problem", "compile_contexts", "context_json_schemas"]

_TABLE = "{{ config(materialized='table') }}\n"


@dataclass(frozen=True)
class Compilation:
    """Result of compiling contexts: either the problems, or the files of the dbt project by path."""

    problems: tuple[Problem, ...]
    files: Mapping[str, str]
    program: Program
    plan: Plan | None


def compile_contexts(contexts: Mapping[str, str], model_templates: Mapping[str, str]) -> Compilation:
    """Compile context files to the generated part of the dbt project.

    `contexts` maps the path shown to people (`contexts/dimensions/feature.yml`) to YAML text.
    `model_templates` maps paths in the dbt project to the YAML of hand-written models that list the column
    `__dimensions__`.

    Never raises for the contexts' content: every problem is in `problems`, and then `files` is empty.
    """
    problems = Problems()
    program = read_program(contexts, problems)
    templates = {path: text for path, text in model_templates.items() if yaml_files.has_placeholder(text)}
    check_program(
        program, problems, {name for text in templates.values() for name in yaml_files.column_names(text)}
    )
    plan = make_plan(program, problems)
    if problems.found or plan is None:
        return Compilation(problems.found, {}, program, plan)
    bodies = {
        "context/charges_in_context": ("", charges_in_context(plan, program.allocation)),
        "rules/allocation_rules": (_TABLE, tables.allocation_rules(program)),
        "rules/context_rules": (_TABLE, tables.context_rules(plan)),
        "rules/dimension_elements": (_TABLE, tables.dimension_elements(program)),
        "rules/signal_facts": (_TABLE, signal_facts(plan)),
        "rules/split_rules": (_TABLE, tables.split_rules(plan)),
        "rules/telemetry_streams": (_TABLE, tables.telemetry_streams(program)),
    }
    note = "-- Generated from the contexts; edit those, not this file."
    files = {f"models/{name}.sql": f"{config}{note}\n\n{sql}\n" for name, (config, sql) in bodies.items()}
    files.update(yaml_files.model_yaml(plan))
    files["macros/context/dimension_names.sql"] = yaml_files.dimension_names_macro(plan)
    files["macros/context/reserved_customers.sql"] = yaml_files.reserved_customers_macro()
    files["macros/context/columns_of_rules.sql"] = yaml_files.columns_of_rules_macro(program)
    files["macros/context/signals_read.sql"] = yaml_files.signals_read_macro(plan)
    files.update({path: yaml_files.fill_template(text, plan) for path, text in templates.items()})
    return Compilation((), dict(sorted(files.items())), program, plan)
