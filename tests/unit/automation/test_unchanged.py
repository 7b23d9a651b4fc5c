"""What counts as a change of the settings before a run."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from orchestration.automation.unchanged import digest_of_sources
from orchestration.automation.workspace import prepare_workspace
from orchestration.settings import Settings


def test_another_database_to_export_to_is_a_change_and_another_receiver_of_alerts_is_none(
    tmp_path: Path,
) -> None:
    settings = Settings(workspace=tmp_path, export_postgres=SecretStr("postgresql://bi:a@one/costs"))
    prepare_workspace(settings)
    before = digest_of_sources(settings)
    assert before
    elsewhere = {"export_postgres": SecretStr("postgresql://bi:a@two/costs")}
    assert digest_of_sources(settings.model_copy(update=elsewhere)) != before
    assert digest_of_sources(settings.model_copy(update={"api_port": 1234})) == before
