"""Assemble the HTML document from template, style, scripts, charting library and data.

Its content security policy allows only the two embedded scripts, by hash, and no connections. Data is never
markup: tables are base64, and the catalogue escapes `<`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

PAGE = files("orchestration.outputs.report") / "page"
# Wrapped in one function, in this order; a section may use everything before it.
SCRIPTS = (
    *("amounts", "dates", "state", "elements", "columns", "people", "facts", "charts", "grid"),
    *("customer_search", "filters", "sections"),
    *("sections/explanations", "sections/usage", "sections/margins", "sections/anomalies"),
    *("sections/reconciliation", "sections/coverage", "sections/segments", "sections/explore"),
    *("sections/warnings", "sections/customers", "sections/customer", "sections/overview"),
    "start",
)


def page_source(name: str) -> str:
    """Source of a page file."""
    text = PAGE
    for part in name.split("/"):
        text = text / part
    return text.read_text(encoding="utf-8")


@cache
def charting_library() -> bytes:
    """Plotly's script, from its Python package."""
    package = distribution("plotly")  # located without importing, which would load all of it
    return Path(str(package.locate_file("plotly/package_data/plotly.min.js"))).read_bytes()


def sources_fingerprint() -> str:
    """Fingerprint of everything in the document except the data."""
    digest = hashlib.sha256(charting_library())
    report = Path(__file__).parent
    for path in sorted([*report.rglob("*.py"), *report.parent.glob("*sentences.py")]):
        digest.update(path.read_bytes())
    for name in ("template.html", "style.css", *(f"{script}.js" for script in SCRIPTS)):
        digest.update(page_source(name).encode())
    return digest.hexdigest()[:16]


def assemble(fingerprint: str, catalog: Mapping[str, Any], tables: Mapping[str, str]) -> str:
    """The complete document. `tables` are results of `encoding.encode`, by their name in the page."""
    library = charting_library()
    script = _in_one_function(page_source(f"{name}.js") for name in SCRIPTS)
    packed = {
        **{f"table-{name}": text for name, text in tables.items()},
        "plotly": _compressed(library),
    }
    parts = {
        "fingerprint": fingerprint,
        "policy": _policy(_as_written(script), library),
        "style": page_source("style.css"),
        "catalog": json.dumps(catalog, ensure_ascii=False).replace("<", "\\u003c"),
        "tables": "\n".join(
            f'<script type="text/plain" id="{name}">{text}</script>' for name, text in packed.items()
        ),
        "script": script,
    }
    document = page_source("template.html")
    for name, text in parts.items():
        before, after = document.split("{{" + name + "}}")
        document = before + text + after
    return document


@cache
def _compressed(library: bytes) -> str:
    return base64.b64encode(zlib.compress(library)).decode("ascii")


def _in_one_function(sources: Any) -> str:
    return '(() => {\n"use strict";\n' + "\n".join(sources) + "\n})();"


def _as_written(script: str) -> bytes:
    """Content of the script element, with the line breaks the template adds."""
    return f"\n{script}\n".encode()


def _policy(*scripts: bytes) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode('ascii')}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
