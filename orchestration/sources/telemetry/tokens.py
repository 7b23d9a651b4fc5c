"""Tokens of the telemetry API: who may send usage to which streams."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from orchestration.settings import ExpectedError
from orchestration.warehouse.files import write_file

TOKENS_FILE = "api_tokens.yml"
EVERY_STREAM = "*"


class TokensFileError(ExpectedError):
    """The token file is invalid; says where and why."""


class TokenNameError(ExpectedError):
    """The name of a token is taken, or there is none of it."""


class Token(BaseModel):
    """A stored token: its name, its streams (`*` is every stream) and its sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    streams: tuple[str, ...]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: datetime

    def allows(self, stream: str) -> bool:
        """Whether the token may send to the stream."""
        return EVERY_STREAM in self.streams or stream in self.streams


class Tokens:
    """The tokens of a file, reloaded when it changes, so a removed token stops working at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int], tuple[Token, ...]] | None = None

    def owner(self, presented: str) -> Token | None:
        """The presented token, or None. Compares all stored tokens, each in constant time."""
        digest = hashlib.sha256(presented.encode()).hexdigest()
        found = None
        for token in self._tokens():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def create(self, streams: Sequence[str], name: str, now: datetime) -> str:
        """Add a token to the file and return it, once. Raises `TokenNameError` if the name is taken."""
        kept = self._tokens()
        if any(token.name == name for token in kept):
            raise TokenNameError(
                f"{self.path}: there is a token named {name!r}; revoke it or take another name"
            )
        secret = secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        added = Token(name=name, streams=tuple(streams), sha256=digest, created_at=now.astimezone(UTC))
        self._write((*kept, added))
        return secret

    def listed(self) -> tuple[Token, ...]:
        """All tokens, in the order they were made."""
        return self._tokens()

    def revoke(self, name: str) -> None:
        """Take a token out of the file. Raises `TokenNameError` if there is none of that name."""
        kept = [token for token in self._tokens() if token.name != name]
        if len(kept) == len(self._tokens()):
            names = ", ".join(token.name for token in kept) or "none"
            raise TokenNameError(f"{self.path}: no token is named {name!r}; there are: {names}")
        self._write(kept)

    def _write(self, tokens: Sequence[Token]) -> None:
        listed = [token.model_dump(mode="json") for token in tokens]
        text = yaml.safe_dump(listed, sort_keys=False, allow_unicode=True)
        write_file(self.path, text, mode=0o600)

    def _tokens(self) -> tuple[Token, ...]:
        try:
            stat = self.path.stat()
            version = (stat.st_mtime_ns, stat.st_ino)
            if self._read is None or self._read[0] != version:
                content = yaml.safe_load(self.path.read_text(encoding="utf-8")) or []
                self._read = version, TypeAdapter(tuple[Token, ...]).validate_python(content)
        except FileNotFoundError:
            return ()
        except (yaml.YAMLError, ValidationError) as error:
            raise TokensFileError(f"{self.path} is not a list of tokens: {error}") from error
        return self._read[1]
