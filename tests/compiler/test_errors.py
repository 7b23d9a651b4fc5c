"""What is said about contexts that cannot be compiled, word by word.

A case is a folder in `errors/`: context files, and `problems.txt` with every problem in order; tests of
dimension files that fail are problems too.
`allocation.yml` may be left out where the case is not about it. `UPDATE_EXPECTED=1 pytest
tests/compiler/test_errors.py` rewrites `problems.txt`; read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from orchestration.authoring.rule_tests import failed_tests
from orchestration.compiler import CODES, compile_contexts
from tests.compiler.test_cases import NO_ALLOCATION

ERRORS = sorted(path for path in (Path(__file__).parent / "errors").iterdir() if path.is_dir())
PROJECT = Path(__file__).resolve().parents[2]


def contexts_of(folder: Path) -> dict[str, str]:
    """All files of a case but the expected problems, as `contexts/…`."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "problems.txt"]
    contexts = {
        f"contexts/{path.relative_to(folder)}": path.read_text(encoding="utf-8") for path in sorted(files)
    }
    needs_allocation = folder.name != "missing-file"
    return {**({"contexts/allocation.yml": NO_ALLOCATION} if needs_allocation else {}), **contexts}


@pytest.mark.parametrize("folder", ERRORS, ids=lambda path: path.name)
def test_every_problem_is_named_with_its_place(folder: Path) -> None:
    compilation = compile_contexts(contexts_of(folder), {})
    problems = compilation.problems or failed_tests(compilation)
    text = "".join(f"{problem}\n" for problem in problems)
    expected = folder / "problems.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert problems
    assert bool(compilation.files) != bool(compilation.problems)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_case_of_its_name(code: str) -> None:
    problems = (Path(__file__).parent / "errors" / code / "problems.txt").read_text(encoding="utf-8")
    assert f" {code}: " in problems


def test_every_code_is_said_somewhere_in_the_sources() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("authoring", "compiler", "warehouse")
        for path in (PROJECT / "orchestration" / folder).rglob("*.py")
        if path.name != "problems.py"
    ]
    assert [code for code in CODES if not any(code in source for source in sources)] == []


def test_every_code_is_explained_in_the_language_page() -> None:
    page = (PROJECT / "contexts" / "README.md").read_text(encoding="utf-8")
    problems = page.split("## Problems")[1]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", problems, re.MULTILINE)) == CODES
