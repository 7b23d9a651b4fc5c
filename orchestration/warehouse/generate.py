"""Assemble the dbt project of a run: the hand-written models plus those compiled from the contexts.

Each version is its own folder, named by its fingerprint, and `dbt_project` in the workspace links to the
current one. So a version is never seen half-written, a run keeps the version it started with, and nothing
happens if nothing changed.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.compiler import Compilation, Problem, compile_contexts
from orchestration.settings import PROJECT_ROOT, ExpectedError, Settings
from orchestration.warehouse.exposures import exposures_with_marts, mart_names_macro
from orchestration.warehouse.files import point, write_file
from orchestration.warehouse.variables import filled_in

WRITTEN_PROJECT = PROJECT_ROOT / "dbt_project"
DIMENSIONS_PLACEHOLDER = "- name: __dimensions__"
MARTS_MACRO = "macros/context/mart_names.sql"
# A macro, not a dbt variable: dbt parses the whole project again when a variable changes.
_FINGERPRINT_MACRO = "macros/context/project_fingerprint.sql"
VERSIONS_KEPT = 5
UNFINISHED_SECONDS = 3600

# Leftovers of dbt or users in the project folder, and folders written only by the compiler.
_NOT_WRITTEN = ("target/", "logs/", "dbt_packages/", "models/rules/", "models/context/", "macros/context/")


class ContextProblems(ExpectedError):  # noqa: N818 (the language calls them problems)
    """The contexts cannot be compiled; `problems` has every reason with file, line and column."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{count} in the contexts:", *map(str, problems)]))


class ContextsMissingError(ExpectedError):
    """There is no contexts folder, or no dimension in it; the message says where it was looked for."""


@dataclass(frozen=True)
class AssembledProject:
    """A complete dbt project on disk.

    `rules_fingerprint` (sha256) depends on all of its files, `written_fingerprint` on those written by hand.
    """

    folder: Path
    rules_fingerprint: str
    written_fingerprint: str
    compilation: Compilation


def read_contexts(contexts: Path) -> dict[str, str]:
    """YAML files below `contexts`, by the path shown in problems."""
    if not contexts.is_dir():
        raise ContextsMissingError(
            f"{contexts} is not a folder. Point --contexts (or CPC_CONTEXTS) at the folder with dimensions/, "
            "streams.yml and allocation.yml."
        )
    texts = {}
    problems = []
    for path in sorted(contexts.rglob("*")):
        relative = path.relative_to(contexts)
        if path.suffix not in {".yml", ".yaml"} or any(part.startswith(".") for part in relative.parts):
            continue
        shown = f"{contexts.name}/{relative.as_posix()}"
        if not path.is_file():
            problems.append(
                Problem(shown, 1, 1, "yaml-syntax", "this is no file, or a link to none; remove or rename it")
            )
            continue
        try:
            texts[shown] = path.read_bytes().decode("utf-8")
        except OSError as error:
            problems.append(Problem(shown, 1, 1, "yaml-syntax", f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError as error:
            problems.append(
                Problem(
                    shown, 1, 1, "yaml-syntax", f"byte {error.start + 1} is not UTF-8 text; save it as UTF-8"
                )
            )
    if problems:
        raise ContextProblems(tuple(problems))
    return texts


def read_written_project(project: Path = WRITTEN_PROJECT) -> dict[str, str]:
    """Every hand-written file, by its path in the dbt project."""
    files = {}
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project).as_posix()
        hidden = any(part.startswith(".") for part in Path(relative).parts)
        if path.is_file() and not hidden and not relative.startswith(_NOT_WRITTEN):
            files[relative] = path.read_text(encoding="utf-8")
    return files


def compile_project(contexts: Path, written: Mapping[str, str] | None = None) -> Compilation:
    """Compile the contexts against the hand-written models. Problems are in the result, not raised."""
    files = read_written_project() if written is None else written
    templates = {
        path: text
        for path, text in files.items()
        if path.startswith("models/") and path.endswith(".yml") and DIMENSIONS_PLACEHOLDER in text
    }
    return compile_contexts(read_contexts(contexts), templates)


def assemble_project(settings: Settings) -> AssembledProject:
    """Bring `<workspace>/dbt_project` up to date and return its version.

    Raises `ContextProblems` with every problem; the workspace keeps its previous version.
    """
    written = read_written_project()
    compilation = compile_project(settings.contexts, written)
    if compilation.problems:
        raise ContextProblems(compilation.problems)
    files = {**written, **compilation.files, **exposures_with_marts(written)}
    files[MARTS_MACRO] = mart_names_macro(written)
    fingerprint = _fingerprint(files)
    files[_FINGERPRINT_MACRO] = (
        f"{{% macro project_fingerprint() %}}{{{{ return('{fingerprint}') }}}}{{% endmacro %}}\n"
    )
    versions = settings.workspace / "dbt_projects"
    folder = versions / fingerprint[:16]
    # Not part of the version: another place or limit does not change the rules.
    filled = filled_in(written, settings, compilation.program.feedback)
    if not folder.is_dir():
        _write_version({**files, **filled}, folder)
    for name, text in filled.items():
        if (folder / name).read_text(encoding="utf-8") != text:
            write_file(folder / name, text)
    point(settings.dbt_project, folder.relative_to(settings.dbt_project.parent))
    _forget_old_versions(versions, keep=folder)
    return AssembledProject(folder, fingerprint, _fingerprint(written), compilation)


def _fingerprint(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path, text in sorted(files.items()):
        for part in (path, text):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
    return digest.hexdigest()


def _write_version(files: Mapping[str, str], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    for relative, text in files.items():
        path = unfinished / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    unfinished.chmod(0o755)
    try:
        unfinished.rename(folder)
    except OSError:
        # A concurrent process made the same version, with the same files.
        if not folder.is_dir():
            raise
        shutil.rmtree(unfinished)


def _forget_old_versions(versions: Path, keep: Path) -> None:
    newest_first = sorted(versions.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    finished = [path for path in newest_first if not path.name.startswith(".") and path != keep]
    abandoned = [
        path
        for path in newest_first
        if path.name.startswith(".") and path.stat().st_mtime < time.time() - UNFINISHED_SECONDS
    ]
    for path in [*finished[VERSIONS_KEPT - 1 :], *abandoned]:
        shutil.rmtree(path, ignore_errors=True)
