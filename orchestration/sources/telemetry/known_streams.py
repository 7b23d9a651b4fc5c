"""Streams of the contexts, so that the API can reject a misspelt one by name at once."""

from __future__ import annotations

from pathlib import Path

from orchestration.compiler.problems import Problems
from orchestration.compiler.reading.program import STREAMS_FILE, read_program


class KnownStreams:
    """The names in a contexts folder's `streams.yml`, read again when the file changes."""

    def __init__(self, contexts: Path) -> None:
        self.path = contexts / STREAMS_FILE
        self._read: tuple[tuple[int, int], frozenset[str] | None] | None = None

    def names(self) -> frozenset[str] | None:
        """The names; None without a readable file: then any stream is taken, and the run tells of others."""
        try:
            stat = self.path.stat()
            version = (stat.st_mtime_ns, stat.st_ino)
            if self._read is None or self._read[0] != version:
                self._read = version, _names(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None
        return self._read[1]


def _names(text: str) -> frozenset[str] | None:
    problems = Problems()
    program = read_program({STREAMS_FILE: text}, problems)
    if any(problem.path == STREAMS_FILE for problem in problems.found):
        return None
    return frozenset(stream.name for stream in program.streams)
