"""A link that says which version is meant now: of the dbt project, of the published snapshot.

What belongs here: pointing it somewhere else from one instant to the next. What does not: what lies there.
"""

from __future__ import annotations

import os
from pathlib import Path


def point(link: Path, target: Path) -> None:
    """Have `link` lead to `target` (relative to its folder) by one rename: it always leads somewhere."""
    if link.is_symlink() and link.readlink() == target:
        return
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
