"""Rules of the house that a reader of one file cannot see, checked over all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES

PACKAGE = PROJECT_ROOT / "orchestration"
SQL = PROJECT_ROOT / "dbt_project"
MODULES = sorted(PACKAGE.rglob("*.py"))
SQL_WORDS = ("select ", "insert ", "delete ", "update ", "create ", "copy ", "attach ", "with ")
LINES = 320
BROKEN_OFF = re.compile(r"-- (\S+ ){0,2}\S*[^\s.:;?!]")
EMPTY_NAMES = {"utils", "helpers", "common", "lib", "constants", "misc", "base"}


def shown(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("assets.py")), ids=shown)
def test_asset_files_hold_no_sql(path: Path) -> None:
    tree = ast.parse(path.read_text())
    sql = [
        f"line {text.lineno}: {text.value.strip()[:60]}"
        for text in texts(tree)
        if text.value.strip().lower().startswith(SQL_WORDS) and " from " in text.value.lower()
    ]
    assert sql == []


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_names_say_what_a_module_is(path: Path) -> None:
    assert not EMPTY_NAMES & {path.stem, *path.relative_to(PACKAGE).parts}


def imported(path: Path) -> set[str]:
    """The names of modules that a module imports from."""
    return {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }


def test_sources_know_nothing_of_each_other() -> None:
    """Nor does what they share know any of them: only the list of sources does."""
    folder = PACKAGE / "sources"
    listed = imported(folder / "__init__.py") - {"__future__", "orchestration.sources.source"}
    assert len(listed) == len(SOURCES)
    known = {
        (shown(path), name)
        for path in folder.rglob("*.py")
        for name in imported(path)
        for source in listed
        if path != folder / "__init__.py"
        and f"{name}.".startswith(f"{source}.")
        and not path.is_relative_to(folder / source.rsplit(".", 1)[1])
    }
    assert known == set()


def test_only_the_settings_read_the_environment() -> None:
    # The others hand the whole environment on to a process they start, or set it for the time of the demo.
    readers = {
        shown(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"os.getenv", "getenv", "os.environ.get", "environ.get"}
        and path.parent.name != "demo"
    }
    assert readers == set()


def test_no_comment_in_sql_breaks_off_in_the_middle_of_a_line() -> None:
    # sqlfmt wraps a comment that is too long, and leaves its last words on a line of their own.
    broken = [
        f"{path.relative_to(SQL)}:{number} {line.strip()}"
        for path in sorted(SQL.rglob("*.sql"))
        for number, (line, following) in enumerate(pairwise(path.read_text().splitlines()), start=1)
        if BROKEN_OFF.fullmatch(line.strip()) and following.strip().startswith("-- ")
    ]
    assert broken == []


@pytest.mark.parametrize("page", sorted((PROJECT_ROOT / "docs").rglob("*.md")), ids=shown)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"[\w/]*\btest_\w+\.py", page.read_text()))
    tests = [f"/{shown(path)}" for path in (PROJECT_ROOT / "tests").rglob("test_*.py")]
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in tests)] == []
