"""Output for terminals, pipes and files of any encoding.

A console with code page 1252, or a pipe under `PYTHONIOENCODING=ascii`, cannot encode a tick mark or a
customer name in Chinese, but that must not kill a run. UTF-8 output is unchanged.
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
    """Make standard output and error replace characters they cannot encode; call before printing anything."""
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
    """Known signs become lookalikes, all else its code (`\\u5317`), so different names stay different."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(sign) or _code(sign) for sign in unknown), error.end


def _code(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")
