"""Tokens are shown once, kept hashed, scoped, and end when they are taken out of the file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.sources.telemetry.tokens import TokenNameError, Tokens, TokensFileError

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def test_a_token_is_known_again_and_kept_only_as_a_hash(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "w" / "api_tokens.yml")
    secret = tokens.create(["searches"], "loader", NOW)
    kept = tokens.path.read_text()
    assert len(secret) >= 43
    assert secret not in kept
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    owner = tokens.owner(secret)
    assert owner is not None
    assert (owner.name, owner.allows("searches"), owner.allows("views")) == ("loader", True, False)
    assert tokens.owner(secret + "x") is None
    assert tokens.owner("") is None


def test_a_star_is_every_stream_and_a_name_is_taken_once(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "api_tokens.yml")
    owner = tokens.owner(tokens.create(["*"], "all", NOW))
    assert owner is not None
    assert owner.allows("anything")
    with pytest.raises(TokenNameError, match="there is a token named 'all'"):
        tokens.create(["*"], "all", NOW)


def test_a_token_taken_out_of_the_file_ends(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "api_tokens.yml")
    secret = tokens.create(["*"], "all", NOW)
    assert tokens.owner(secret) is not None
    tokens.path.write_text("[]\n")
    os.utime(tokens.path, (1, 1))
    assert tokens.owner(secret) is None


def test_a_file_that_is_no_list_of_tokens_is_named(tmp_path: Path) -> None:
    path = tmp_path / "api_tokens.yml"
    path.write_text("- {name: a}\n")
    with pytest.raises(TokensFileError, match="is not a list of tokens"):
        Tokens(path).owner("x")


def test_the_workspace_may_be_named_before_or_after_the_word_token(tmp_path: Path) -> None:
    place = ["--workspace", str(tmp_path)]
    for name, words in (("a", ["api", *place, "token"]), ("b", ["api", "token", *place])):
        made = CliRunner().invoke(app, [*words, "--name", name, "--stream", "*"])
        assert made.exit_code == 0
        owner = Tokens(tmp_path / "api_tokens.yml").owner(made.output.strip())
        assert owner is not None
        assert owner.name == name
    assert CliRunner().invoke(app, ["api", "token", *place, "--name", "a", "--stream", "*"]).exit_code == 1


def test_tokens_are_listed_and_revoked_by_name(tmp_path: Path) -> None:
    place = ["--workspace", str(tmp_path)]
    secrets = {
        name: CliRunner()
        .invoke(app, ["api", "token", *place, "--name", name, "--stream", "*"])
        .output.strip()
        for name in ("a", "b")
    }
    listed = CliRunner().invoke(app, ["api", "tokens", *place]).output
    assert [line.split("\t")[:2] for line in listed.splitlines()] == [["a", "*"], ["b", "*"]]
    assert not any(secret in listed for secret in secrets.values())
    tokens = Tokens(tmp_path / "api_tokens.yml")
    assert tokens.owner(secrets["a"]) is not None
    assert CliRunner().invoke(app, ["api", "revoke", "a", *place]).exit_code == 0
    assert (tokens.owner(secrets["a"]), [token.name for token in tokens.listed()]) == (None, ["b"])
    again = CliRunner().invoke(app, ["api", "revoke", "a", *place])
    assert again.exit_code == 1
    assert "no token is named 'a'; there are: b" in again.stderr
