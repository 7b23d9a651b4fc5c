"""Durable, atomic changes of files, links and folders: readers see the old or the new version."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A file next to `path` to write to; on success it durably replaces `path`.

    If the block removes it, `path` stays as it is. `shared`: others may replace `path` at the same time;
    otherwise leftovers of a killed process are overwritten.
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
    """Durably replace a whole file, also with concurrent writers."""
    with replacing(path, shared=True) as written:
        written.touch(mode)
        written.write_bytes(content.encode() if isinstance(content, str) else content)


def create_file(path: Path, content: bytes) -> bool:
    """Durably create a file unless it exists, also with concurrent writers."""
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
    """Create a folder that survives a crash: its name is an entry in its parent folder."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def commit(written: Path, path: Path) -> None:
    """Move a file that is fully on disk to `path`."""
    sync(written)
    written.replace(path)


def sync(path: Path) -> None:
    """Fsync a file, or the entries of a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def protect(path: Path) -> None:
    """Make a new file read-only and fsync it before it is linked."""
    path.chmod(0o444)
    sync(path)


def share(existing: Path, target: Path) -> None:
    """Hard-link a file where the disk supports it, else copy; the file never changes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(existing)
    except OSError:
        shutil.copyfile(existing, target)


def point(link: Path, target: Path) -> None:
    """Atomically point `link` at `target` (relative to its folder)."""
    if link.is_symlink() and link.readlink() == target:
        return
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
