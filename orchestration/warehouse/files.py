"""Files that others read are replaced by one rename: they see the old or the new one, never a part."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A file beside `path` to write to; on leaving without error it takes the place of `path`, durably.

    Removed in the block, it leaves `path` as it is. `shared`: others may replace `path` at the same time;
    else what a killed process left beside it is written over.
    """
    make_folder(path.parent)
    written = path.with_name(f".{path.name}.{secrets.token_hex(4) if shared else 'writing'}")
    try:
        yield written
        if written.exists():
            commit(written, path)
            sync(path.parent)
    finally:
        written.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Replace a whole file, durably, whoever writes it at the same time."""
    with replacing(path, shared=True) as written:
        written.touch(mode)
        written.write_bytes(content.encode() if isinstance(content, str) else content)


def create_file(path: Path, content: bytes) -> bool:
    """Write a file durably unless there is one of that name, whoever writes it at the same time."""
    make_folder(path.parent)
    written = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        written.write_bytes(content)
        sync(written)
        path.hardlink_to(written)
    except FileExistsError:
        return False
    finally:
        written.unlink(missing_ok=True)
    sync(path.parent)
    return True


def make_folder(folder: Path) -> None:
    """Make a folder that outlives a crash: its name is an entry of the folder above."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def commit(written: Path, path: Path) -> None:
    """Let a file that is wholly on the disk take the place of `path`."""
    sync(written)
    written.replace(path)


def sync(path: Path) -> None:
    """Fsync a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def protect(path: Path) -> None:
    """Make a new file read-only, and fsync it before anything points to it."""
    path.chmod(0o444)
    sync(path)


def share(existing: Path, target: Path) -> None:
    """One file under two names where the disk can; it never changes, so neither can tell."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(existing)
    except OSError:
        shutil.copyfile(existing, target)


def point(link: Path, target: Path) -> None:
    """Have `link` lead to `target` (relative to its folder) by one rename: it always leads somewhere."""
    if link.is_symlink() and link.readlink() == target:
        return
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
