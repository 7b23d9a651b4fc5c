"""The companies that the tests work on. Building one costs seconds: each is built once, then put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import MakeOnce
from tests.end_to_end import small_company
from tests.end_to_end.running import Company

RESTATED_DAYS = [
    *(f"2026-04-{day:02d}" for day in (1, 2, 3)),
    *(f"2026-05-{day:02d}" for day in (1, 2, 3, 4)),
]


def restate(company: Company) -> None:
    """The provider corrects two months: search costs something else, and one has two days less."""
    billing = company.settings.sources / "billing"
    small_company.write_bill(billing, "2026-04", Decimal("20000.00"))
    small_company.write_bill(billing, "2026-05", Decimal("5000.00"), days=(1, 2))


def new_company(root: Path) -> Company:
    company = Company(root)
    small_company.write_contexts(root / "contexts")
    small_company.write_sources(company.settings.sources)
    return company


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company whose job has run once. Not to be changed: who does asks for `company`."""
    company = new_company(tmp_path_factory.mktemp("built") / "company")
    good, printed = company.run()
    assert good, printed
    company.copy(kept(company))
    return company


def kept(company: Company) -> Path:
    """Where the copy lies that the company is put back from."""
    return company.root.with_name("kept")


@pytest.fixture(scope="session")
def built_restated(made_once: MakeOnce) -> Company:
    """The same company had its first run been after the restatement. Not to be changed."""

    def make(root: Path) -> str:
        company = new_company(root)
        restate(company)
        good, printed = company.run()
        assert good, printed
        return printed

    root, _ = made_once("restated", make)
    return Company(root)


@pytest.fixture
def company(built: Company) -> Iterator[Company]:
    """The built company, to change, then put back. In its own place: elsewhere every path is news."""
    yield built
    shutil.rmtree(built.root)
    Company(kept(built)).copy(built.root)


@pytest.fixture
def restated(company: Company) -> Company:
    """The built company, to change, to which corrected bills have come since its run."""
    restate(company)
    return company


@pytest.fixture
def add_dimension() -> Callable[[Company], None]:
    """What a person adds for a new dimension, a new stream and a rule that uses them: three edits of YAML."""

    def add(company: Company) -> None:
        contexts = company.settings.contexts
        (contexts / "dimensions" / "tier.yml").write_text(
            "dimension: tier\ndescription: What kind of machine\nrules:\n"
            "  - element: idle\n    when: {tag: app, equals: idle}\n"
        )
        with (contexts / "streams.yml").open("a") as streams:
            streams.write(
                "  seats:\n    unit: seat\n    granularity: daily\n    description: Seats paid for\n"
            )
        with (contexts / "allocation.yml").open("a") as rules:
            rules.write("  - name: idle\n    when: {dimension: tier, equals: idle}\n    by: seats\n")

    return add
