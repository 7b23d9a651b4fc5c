"""Read the contexts of a commit from git without touching the working tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestration.settings import ExpectedError


class NotInHistoryError(ExpectedError):
    """The contexts of that commit cannot be read; the message says why and what to do."""


def contexts_at(reference: str, contexts: Path) -> dict[str, str]:
    """YAML files below `contexts` at a commit, by the path shown in problems.

    `reference` is anything git resolves to a commit: `HEAD`, `main`, `HEAD~3`, a tag, a hash.
    """
    commit = _git(contexts, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if commit is None:
        raise NotInHistoryError(
            f'git does not know "{reference}" in the repository of {contexts}. Give a branch, a tag, a '
            "hash or HEAD~1; in a shallow clone, fetch it first."
        )
    listed = _git(contexts, "ls-tree", "-r", "-z", "--name-only", commit.strip(), ".") or ""
    texts = {}
    for name in sorted(filter(None, listed.split("\0"))):
        hidden = any(part.startswith(".") for part in Path(name).parts)
        if not hidden and Path(name).suffix in {".yml", ".yaml"}:
            text = _git(contexts, "show", f"{commit.strip()}:./{name}")
            if text is None:
                raise NotInHistoryError(f"{name} at {reference} is not UTF-8 text, or git could not read it")
            texts[f"{contexts.name}/{name}"] = text
    if not texts:
        raise NotInHistoryError(f"{contexts} has no context files at {reference}.")
    return texts


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command; None if it fails."""
    if not folder.is_dir():
        raise NotInHistoryError(f"{folder} is not a folder; point --contexts at the contexts.")
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotInHistoryError("git is not installed or not on the PATH.") from error
    if done.returncode == 128 and b"not a git repository" in done.stderr:
        raise NotInHistoryError(
            f"{folder} is not in a git repository, so there is no history to compare with."
        )
    try:
        return done.stdout.decode("utf-8") if done.returncode == 0 else None
    except UnicodeDecodeError:
        return None
