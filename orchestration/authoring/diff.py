"""`cpc diff`: build and compare costs under the contexts of a commit and of the working tree."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestration.authoring.context_history import contexts_at
from orchestration.authoring.diff_costs import Difference, compare
from orchestration.authoring.dry_run import build_dry_run
from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.generate import read_contexts


class DifferenceError(ExpectedError):
    """One of the two sides could not be built; the message says which, why and what to do."""


def difference_since(
    settings: Settings, reference: str, month: str | None, say: Callable[[str], None]
) -> Difference:
    """Compare the contexts at commit `reference` with those in the working tree, on the last run's data.

    `month` (YYYY-MM) restricts the comparison to its usage days. `say` receives progress messages.
    """
    contexts = settings.contexts
    now = f"the contexts in {contexts}"
    with tempfile.TemporaryDirectory(prefix=".dry-run-", dir=_parent(settings)) as folder:
        before = _side(
            settings,
            f"the contexts at {reference}",
            lambda: contexts_at(reference, contexts),
            Path(folder) / "before",
            say,
        )
        after = _side(settings, now, lambda: read_contexts(contexts), Path(folder) / "after", say)
        say("Comparing")
        return compare(before, after, month)


def _parent(settings: Settings) -> Path:
    """Next to the warehouse, where there is room for a copy of it."""
    parent = settings.warehouse_file.parent
    if not parent.is_dir():
        raise DifferenceError(
            f"{settings.warehouse_file} does not exist yet. Run the job first: cpc run --workspace "
            f"{settings.workspace}"
        )
    return parent


def _side(
    settings: Settings,
    name: str,
    read: Callable[[], Mapping[str, str]],
    folder: Path,
    say: Callable[[str], None],
) -> Path:
    say(f"Working out the costs with {name}")
    folder.mkdir()
    try:
        return build_dry_run(settings, read(), folder, say)
    except ExpectedError as error:
        raise DifferenceError(f"With {name}: {error}") from error
