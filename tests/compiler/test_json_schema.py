"""The JSON Schemas for editors: up to date, right about what compiles, and about the shapes that do not.

After a wanted change, `cpc compile --contexts contexts --json-schema` rewrites the files.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import PurePosixPath
from random import Random
from typing import Any

import jsonschema
import pytest
import yaml

from orchestration.authoring.editor_schemas import schema_files
from orchestration.compiler import context_json_schemas
from tests.compiler.conftest import PROJECT
from tests.compiler.random_programs import Choices, Program
from tests.compiler.test_cases import CASES
from tests.compiler.test_cases import contexts_of as contexts_of_case
from tests.compiler.test_errors import ERRORS, contexts_of

ABOUT_SHAPES = ("given", "missing-key", "conflicting-keys", "unknown-key", "unknown-field", "unknown-choice")
VALIDATORS = {
    name: jsonschema.Draft202012Validator(schema) for name, schema in context_json_schemas().items()
}


def refused(path: str, text: str) -> list[str]:
    """What the schema of its kind has against a context file, as an editor reads it."""
    name = PurePosixPath(path)
    kind = "dimension" if name.parent.name == "dimensions" else name.stem
    document = _as_json(yaml.load(text, Loader=yaml.SafeLoader))
    return [error.message for error in VALIDATORS[kind].iter_errors(document)]


def _as_json(node: Any) -> Any:
    """Keys and dates as the texts that they are in a file; `on` is a text to editors, which read YAML 1.2."""
    if isinstance(node, dict):
        return {"on" if key is True else str(key): _as_json(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_as_json(item) for item in node]
    return node.isoformat() if isinstance(node, date) else node


def test_the_files_for_editors_are_up_to_date() -> None:
    for name, text in schema_files().items():
        assert (PROJECT / "contexts" / ".schema" / name).read_text(encoding="utf-8") == text


def test_the_settings_of_the_editor_name_every_schema_and_find_every_context_file() -> None:
    settings = json.loads((PROJECT / ".vscode" / "settings.json").read_text(encoding="utf-8"))["yaml.schemas"]
    assert set(settings) == {f"./contexts/.schema/{name}" for name in schema_files()}
    found = sorted(path for pattern in settings.values() for path in PROJECT.glob(pattern))
    assert found == sorted((PROJECT / "contexts").rglob("*.yml"))


@pytest.mark.parametrize("validator", VALIDATORS.values(), ids=VALIDATORS)
def test_the_schemas_are_schemas(validator: jsonschema.Draft202012Validator) -> None:
    validator.check_schema(validator.schema)


def test_the_schemas_accept_the_shipped_contexts(example_contexts: dict[str, str]) -> None:
    for path, text in example_contexts.items():
        assert refused(path, text) == [], path


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_schemas_accept_the_cases(folder: Any) -> None:
    for path, text in contexts_of_case(folder).items():
        assert refused(path, text) == [], path


def test_the_schemas_accept_random_programs() -> None:
    for seed in range(30):
        random = Random(seed)
        for path, text in (
            Program(Choices(lambda end, random=random: random.randrange(end))).contexts().items()
        ):
            assert refused(path, text) == [], text


@pytest.mark.parametrize(
    "folder", [path for path in ERRORS if path.name in ABOUT_SHAPES], ids=lambda p: p.name
)
def test_the_schemas_refuse_files_of_a_wrong_shape(folder: Any) -> None:
    for path, text in contexts_of(folder).items():
        if f"{path}:" in (folder / "problems.txt").read_text(encoding="utf-8"):
            assert refused(path, text), path
