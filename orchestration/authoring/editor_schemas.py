"""Write the JSON Schemas next to the contexts, where editors find them."""

from __future__ import annotations

import json
from pathlib import Path

from orchestration.compiler import context_json_schemas

FOLDER = ".schema"


def schema_files() -> dict[str, str]:
    """Content of each schema by file name: `dimension.json`, `streams.json`, `allocation.json`."""
    return {
        f"{name}.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in context_json_schemas().items()
    }


def write_schemas(contexts: Path) -> list[Path]:
    """Write the schemas into `.schema` in the contexts folder and return their paths."""
    folder = contexts / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in schema_files().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
