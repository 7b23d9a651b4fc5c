"""What the API knows of the contexts: streams, to reject a misspelt one at once, and the rules of OTLP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from orchestration.compiler.language.program import Program
from orchestration.compiler.language.pulls import Received
from orchestration.compiler.problems import Problems
from orchestration.compiler.reading.program import STREAMS_FILE, USAGE_FILE, read_program

_Part = TypeVar("_Part")


class KnownStreams:
    """Parts of a contexts folder, read again when their file changes; None without a readable file."""

    def __init__(self, contexts: Path) -> None:
        self._names = _ContextFile(
            contexts / STREAMS_FILE, lambda program: frozenset(stream.name for stream in program.streams)
        )
        self._received = _ContextFile(contexts / USAGE_FILE, lambda program: program.received)

    def names(self) -> frozenset[str] | None:
        """Stream names; None if unknown: then any stream is accepted, and the run warns of unknown ones."""
        return self._names.part()

    def received(self) -> tuple[Received, ...] | None:
        """What counts of OpenTelemetry's data."""
        return self._received.part()


class _ContextFile(Generic[_Part]):
    def __init__(self, path: Path, part_of: Callable[[Program], _Part]) -> None:
        self.path = path
        self.part_of = part_of
        self._read: tuple[tuple[int, int], _Part | None] | None = None

    def part(self) -> _Part | None:
        try:
            stat = self.path.stat()
            version = (stat.st_mtime_ns, stat.st_ino)
            if self._read is None or self._read[0] != version:
                self._read = version, self._part(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None
        return self._read[1]

    def _part(self, text: str) -> _Part | None:
        problems = Problems()
        program = read_program({self.path.name: text}, problems)
        wrong = any(problem.path == self.path.name for problem in problems.found)
        return None if wrong else self.part_of(program)
