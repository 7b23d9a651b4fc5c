"""docs/settings.md is made from the settings' own descriptions.

UPDATE_EXPECTED=1 .venv/bin/pytest tests/unit/test_settings_page.py     regenerates it
"""

from __future__ import annotations

import json
import os
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from orchestration.settings import PROJECT_ROOT, Settings

PAGE = PROJECT_ROOT / "docs" / "settings.md"
HEAD = """\
# Settings

Made from `orchestration/settings.py` by a test; do not edit.

Set a value in `<workspace>/settings.yml`, or as an environment variable, which wins: `CPC_` and the name in
capitals, the names of nested values after `__`, lists and objects as JSON. Other names are errors.

    # settings.yml                                  # the same by the environment
    snapshots_kept: 3                               CPC_SNAPSHOTS_KEPT=3
    s3: {region_name: eu-west-1}                    CPC_S3__REGION_NAME=eu-west-1
    alert_webhook_url: https://example.com/costs    CPC_ALERT_WEBHOOK_URL=https://example.com/costs

Settings marked *secret* are never printed; give them by the environment: see
[deployment.md](deployment.md#secrets).
"""


def parts_of(annotation: Any) -> Iterator[Any]:
    """All types in an annotation."""
    yield annotation
    for part in typing.get_args(annotation):
        yield from parts_of(part)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.default
    if isinstance(default, Path):
        shown = default.relative_to(PROJECT_ROOT) if default.is_relative_to(PROJECT_ROOT) else default
        return f"`{shown}`"
    if default in (None, "", (), {}) or isinstance(default, BaseModel | SecretStr):
        return ""
    return f"`{json.dumps(default, default=str)}`"


def table(model: type[BaseModel]) -> str:
    lines = ["| name | default | |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name} has no description"
        choices = [part for part in parts_of(field.annotation) if isinstance(part, str)]
        notes = ["*secret*"] if SecretStr in parts_of(field.annotation) else []
        notes += [f"one of {', '.join(f'`{choice}`' for choice in choices)}"] if choices else []
        said = "; ".join([field.description, *notes])
        lines.append(f"| `{name}` | {default_of(field)} | {said} |")
    return "\n".join(lines)


def page() -> str:
    nested = {
        part.__name__: (name, part)
        for name, field in Settings.model_fields.items()
        for part in parts_of(field.annotation)
        if isinstance(part, type) and issubclass(part, BaseModel)
    }
    sections = [f"## In `{name}`\n\n{table(model)}\n" for name, model in nested.values()]
    return "\n".join([HEAD, f"{table(Settings)}\n", *sections])


def test_the_page_says_what_the_settings_say() -> None:
    if os.environ.get("UPDATE_EXPECTED"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
