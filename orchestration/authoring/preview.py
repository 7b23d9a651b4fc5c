"""Data for previewing contexts that no run has used yet: the last run's charges, and shares of splits.

Splits by usage need their shares. If the contexts have one that the last run lacked, its shares are first
computed in a separate database, by the job's own models.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.authoring.dry_run import LAYERS_OF_SPLITS, build_dry_run
from orchestration.compiler import Compilation
from orchestration.compiler.language.program import SplitByUsage
from orchestration.compiler.language.splits import split_id
from orchestration.outputs.read_only import NotReadableError, open_working
from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.generate import read_contexts


@contextmanager
def settings_of_preview(
    settings: Settings, compilation: Compilation, say: Callable[[str], None]
) -> Iterator[Settings]:
    """Settings whose working database has everything that `compilation` reads.

    `say` receives progress messages. Raises `NotReadableError` with what to do.
    """
    unknown = _splits(compilation) - _splits_of_last_run(settings)
    if not unknown:
        yield settings
        return
    say("Working out the shares of new splits")
    with tempfile.TemporaryDirectory(prefix=".dry-run-", dir=settings.warehouse_file.parent) as folder:
        try:
            contexts = read_contexts(settings.contexts)
            database = build_dry_run(settings, contexts, Path(folder), say, LAYERS_OF_SPLITS)
        except ExpectedError as error:
            raise NotReadableError(str(error)) from error
        yield Settings(**{**settings.model_dump(), "warehouse": database})


def _splits(compilation: Compilation) -> set[str]:
    return {
        split_id(dimension, rule.split)
        for dimension in compilation.program.dimensions
        for rule in dimension.rules
        if isinstance(rule.split, SplitByUsage)
    }


def _splits_of_last_run(settings: Settings) -> set[str]:
    with open_working(settings) as warehouse:
        try:
            found = warehouse.execute("select split_id from rules.split_rules where split_id is not null")
        except duckdb.CatalogException:
            return set()
        return {name for (name,) in found.fetchall()}
