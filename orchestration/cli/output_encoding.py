"""Output that any terminal, pipe or file can take, whatever its encoding.

A console of code page 1252, or a pipe under `PYTHONIOENCODING=ascii`, has no tick mark, and no way to write a
customer's name in Chinese. Neither is a reason for a run to die. UTF-8 output stays as it is.
"""

from __future__ import annotations

import codecs
import io
import os
import sys

_READABLE = "readable"
_INSTEAD = {
    "✓": "ok",
    "✗": "x",
    "…": "...",
    "→": "->",
    "\N{EN DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MIDDLE DOT}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
}


def make_output_safe() -> None:
    """Let standard output and error replace what their encoding lacks; call it before anything is printed."""
    codecs.register_error(_READABLE, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_READABLE)
    # Children whose output is read by this process, such as dbt, write UTF-8; see environment_of_terminal().
    os.environ["PYTHONIOENCODING"] = "utf-8"


def environment_of_terminal() -> dict[str, str]:
    """The environment for a child that writes to this process's own terminal, in the terminal's encoding."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return {**os.environ, "PYTHONIOENCODING": f"{encoding}:backslashreplace"}


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Signs by what looks like them, all else by its code: `\\u5317`, so that two names never look alike."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(sign) or _code(sign) for sign in unknown), error.end


def _code(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")
