"""The tests of dimension files are answered by the compiled SQL, and a failure says what and why."""

from __future__ import annotations

from orchestration.authoring.rule_tests import failed_tests
from orchestration.compiler import Compilation, compile_contexts

ENVIRONMENT = """\
dimension: environment
description: Stage
rules:
  - from: {tag: environment}
"""
FEATURE = """\
dimension: feature
description: Feature
default: Shared
rules:
  - element: Search
    when: {all: [{tag: app, equals: search}, {dimension: environment, equals: production}]}
  - from: {cost_category: feature}
  - element: Old
    when: {charge: usage_date, before: 2026-01-01}
  - element: Large
    when: {charge: billed_cost, between: [10.000000000001, 99]}
tests:
"""


def compiled(feature_tests: str, environment_tests: str = "") -> Compilation:
    compilation = compile_contexts(
        {
            "contexts/dimensions/environment.yml": ENVIRONMENT + environment_tests,
            "contexts/dimensions/feature.yml": FEATURE + feature_tests,
            "contexts/allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
        },
        {},
    )
    assert [str(problem) for problem in compilation.problems] == []
    return compilation


def test_tests_that_hold_say_nothing() -> None:
    holds = """\
  - given: {tag: {app: search, environment: production}}
    expect: Search
  - given: {tag: {app: search}, dimension: {environment: production}}
    expect: Search
  - given: {tag: {app: search, environment: production}, dimension: {environment: staging}}
    expect: Shared
  - given: {cost_category: {Feature: Found}}
    expect: Found
  - given: {usage_date: 2025-12-31}
    expect: Old
  - given: {billed_cost: 10.000000000001, charge_id: "z", x_source_name: "a"}
    expect: Large
  - given: {}
    expect: Shared
"""
    unmatched = "tests: [{given: {}, expect: null}]\n"
    assert failed_tests(compiled(holds, unmatched)) == []


def test_failures_come_in_the_order_of_the_files_with_the_rule_that_decided() -> None:
    failing = """\
  - given: {tag: {app: search}, dimension: {environment: production}}
    expect: Old
  - given: {tag: {app: search, environment: staging}}
    expect: Search
  - given: {cost_category: {feature: "It's"}, usage_date: 2026-02-03}
    expect: Search
  - given: {billed_cost: 10.5}
    expect: null
"""
    unmatched = "tests: [{given: {region_id: eu-west-1}, expect: production}]\n"
    path = "contexts/dimensions/feature.yml"
    assert [str(failure) for failure in failed_tests(compiled(failing, unmatched))] == [
        "contexts/dimensions/environment.yml:5:9 test-failed: given {region_id: eu-west-1} "
        'expected "production", got unmatched (no rule matches, and there is no default)',
        f"{path}:13:5 test-failed: given {{tag: {{app: search}}, dimension: {{environment: production}}}} "
        f'expected "Old", got "Search" (rule at {path}:5)',
        f"{path}:15:5 test-failed: given {{tag: {{app: search, environment: staging}}}} "
        f'expected "Search", got "Shared" (no rule matches; the default of {path})',
        f"{path}:17:5 test-failed: given {{cost_category: {{feature: It's}}, usage_date: '2026-02-03'}} "
        f'expected "Search", got "It\'s" (rule at {path}:7)',
        f"{path}:19:5 test-failed: given {{billed_cost: '10.5'}} "
        f'expected unmatched, got "Large" (rule at {path}:10)',
    ]


OWNER = """\
dimension: owner
description: Owner
rules:
  - from: {first_of: [{resource: tag Owner}, {related: [attached_to, member_of], tag: owner}]}
  - element: Disk
    when: {related: attached_to, resource: attribute disk, equals: large}
  - from: {first_of: [{k8s: label owner}, {account: tag owner}]}
  - element: Sandbox
    when: {account: organizational_unit_path, starts_with: Root/Sandbox}
  - element: Fresh
    when: {charge: charge_period_start, exists: true}
tests:
"""


def owner_compiled(tests: str) -> Compilation:
    contexts = {
        "contexts/dimensions/owner.yml": OWNER + tests,
        "contexts/allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
    }
    compilation = compile_contexts(contexts, {})
    assert [str(problem) for problem in compilation.problems] == []
    return compilation


def test_tests_can_give_what_the_signals_say() -> None:
    holds = """\
  - given: {resource: {tag: {"user:Owner": Search}}}
    expect: Search
  - given: {resource_id: i-1, related: {attached_to: {related: {member_of: {id: c-1, tag: {owner: A}}}}}}
    expect: A
  - given: {resource_id: i-1, related: {attached_to: {related: {member_of: {id: c-1, tag: {owner: B}}}}}}
    expect: B
  - given: {resource: {related: {attached_to: [{attribute: {disk: large}}, {id: i-2}]}}}
    expect: Disk
  - given: {k8s: {label: {owner: Pods}, namespace: shop}, account: {tag: {owner: Accounts}}}
    expect: Pods
  - given: {account: {id: "1", tag: {owner: Accounts}}}
    expect: Accounts
  - given: {account: {id: "1", organizational_unit_path: Root/Sandbox/Ann}, usage_date: 2026-01-01}
    expect: Sandbox
  - given: {account: {id: "1", name: sandbox}}
    expect: null
"""
    assert failed_tests(owner_compiled(holds)) == []


def test_a_failure_shows_the_signals_that_were_given() -> None:
    wrong = """\
  - given: {account: {tag: {owner: A}}, resource: {related: {attached_to: [{id: i-1}, {tag: {a: b}}]}}}
    expect: null
  - given: {k8s: {label: {owner: B}}}
    expect: null
"""
    assert [str(failure) for failure in failed_tests(owner_compiled(wrong))] == [
        "contexts/dimensions/owner.yml:13:5 test-failed: given {account: {tag: {owner: A}}, resource:"
        ' {related: {attached_to: [{id: i-1}, {tag: {a: b}}]}}} expected unmatched, got "A"'
        " (rule at contexts/dimensions/owner.yml:7)",
        "contexts/dimensions/owner.yml:15:5 test-failed: given {k8s: {label: {owner: B}}} expected unmatched,"
        ' got "B" (rule at contexts/dimensions/owner.yml:7)',
    ]


SPLIT = """\
dimension: split
description: Shared by features
rules:
  - split: {Search: 0.6, Ingest: 0.4}
    when: {tag: app, equals: gateway}
  - split: even
    elements: [Search, Ingest, Alerts]
    when: {tag: app, equals: monitoring}
  - split: {Search: 1}
    when: {tag: app, equals: search}
tests:
"""


def failures_of_split(tests: str) -> list[str]:
    compilation = compile_contexts(
        {
            "contexts/dimensions/split.yml": SPLIT + tests,
            "contexts/allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
        },
        {},
    )
    assert [str(problem) for problem in compilation.problems] == []
    return [str(failure) for failure in failed_tests(compilation)]


def test_shares_are_expected_of_a_split() -> None:
    holds = """\
  - given: {tag: {app: gateway}}
    expect: {Ingest: 0.4, Search: 0.6}
  - given: {tag: {app: monitoring}}
    expect: {Alerts: 0.333334, Ingest: 0.333333, Search: 0.333333}
  - given: {tag: {app: search}}
    expect: Search
  - given: {tag: {app: other}}
    expect: null
"""
    assert failures_of_split(holds) == []


def test_other_shares_than_expected_are_shown_beside_each_other() -> None:
    fails = """\
  - given: {tag: {app: gateway}}
    expect: {Search: 0.5, Ingest: 0.5}
  - given: {tag: {app: gateway}}
    expect: Search
  - given: {tag: {app: other}}
    expect: {Search: 0.5, Ingest: 0.5}
"""
    assert failures_of_split(fails) == [
        "contexts/dimensions/split.yml:12:5 test-failed: given {tag: {app: gateway}} expected {Search: 0.5, "
        "Ingest: 0.5}, got {Ingest: 0.4, Search: 0.6} (rule at contexts/dimensions/split.yml:4)",
        "contexts/dimensions/split.yml:14:5 test-failed: given {tag: {app: gateway}} expected "
        '"Search", got {Ingest: 0.4, Search: 0.6} (rule at contexts/dimensions/split.yml:4)',
        "contexts/dimensions/split.yml:16:5 test-failed: given {tag: {app: other}} expected "
        "{Search: 0.5, Ingest: 0.5}, got unmatched (no rule matches, and there is no default)",
    ]
