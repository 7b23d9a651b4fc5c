"""Every command on a console, pipe or file that cannot write every character, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end import small_company
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company

NAME = "北京 Łódź ✓"
ENCODINGS = {"ascii": {"PYTHONIOENCODING": "ascii"}, "code page 1252": {"PYTHONIOENCODING": "cp1252"}}


def cpc(company: Company, encoding: dict[str, str], *command: str) -> tuple[int, str]:
    """Exit code of `cpc`, and what it wrote to both of its outputs, as that encoding has it."""
    places = ["--workspace", str(company.settings.workspace)]
    if command[0] not in ("report", "export"):
        places += ["--contexts", str(company.settings.contexts)]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cpc")), *command, *places],
        env={**os.environ, **encoding, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode(encoding.get("PYTHONIOENCODING", "utf-8"))


def test_a_whole_run_and_the_questions_about_it(tmp_path: Path) -> None:
    company = new_company(tmp_path / "company")
    listed = company.settings.sources / "customers" / "customers.csv"
    listed.write_text(listed.read_text().replace("ada,Ada,", f"ada,{NAME},"), encoding="utf-8")
    feature = company.settings.contexts / "dimensions" / "feature.yml"
    feature.write_text(feature.read_text().replace("element: Search", "element: Søk 検索"), encoding="utf-8")
    rules = company.settings.contexts / "allocation.yml"
    rules.write_text(rules.read_text().replace("equals: Search", "equals: Søk 検索"), encoding="utf-8")

    code, said = cpc(company, ENCODINGS["ascii"], "run")
    assert code == 0, said
    assert "ok Published snapshot" in said
    code, said = cpc(company, ENCODINGS["ascii"], "explain", "--customer", NAME, "--day", "2026-03-01")
    assert code == 0, said
    assert r"S\xf8k \u691c\u7d22" in said
    code, said = cpc(company, ENCODINGS["code page 1252"], "coverage")
    assert code == 0, said
    assert "Traceback" not in said
    code, said = cpc(company, {"LC_ALL": "C"}, "check")
    assert code == 0, said


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_problems_are_told_in_the_signs_that_there_are(tmp_path: Path, encoding: dict[str, str]) -> None:
    company = Company(tmp_path)
    small_company.write_contexts(company.settings.contexts)
    feature = company.settings.contexts / "dimensions" / "feature.yml"
    feature.write_text(
        feature.read_text().replace("equals: exports", "equals: 検索, 検索: 1"), encoding="utf-8"
    )
    code, said = cpc(company, encoding, "check")
    assert code == 1
    assert r"\u691c\u7d22" in said
    assert "Traceback" not in said
