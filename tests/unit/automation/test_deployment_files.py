"""The files in `deploy/` and `compose.yaml`: an instance that works, and the same commands in both."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import yaml

from orchestration.settings import PROJECT_ROOT
from tests.unit.outputs.test_database_exports import server  # noqa: F401 (a fixture)

DEPLOY = PROJECT_ROOT / "deploy"


def test_runs_and_events_go_to_postgres(server: str, tmp_path: Path) -> None:  # noqa: F811
    config = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    database = config["storage"]["postgres"].pop("postgres_db")
    # The server listens to a socket only; what matters is the driver, which Dagster's statements need.
    config["storage"]["postgres"]["postgres_url"] = server.replace("postgresql", database["scheme"], 1)
    for part in ("local_artifact_storage", "compute_logs"):
        config[part]["config"]["base_dir"] = str(tmp_path / part)
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))

    @dg.asset
    def something() -> int:
        return 1

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert dg.materialize([something], instance=instance).success
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        assert instance.get_latest_materialization_event(dg.AssetKey("something")) is not None


def test_compose_and_kubernetes_start_the_same() -> None:
    compose = yaml.safe_load((PROJECT_ROOT / "compose.yaml").read_text())["services"]
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    (pod,) = [each["spec"]["template"]["spec"] for each in documents if each["kind"] == "Deployment"]
    containers = {each["name"]: each for each in pod["containers"]}
    assert set(containers) == {"web", "daemon", "api"}
    volumes = {volume["name"] for volume in pod["volumes"]}
    for name, container in containers.items():
        service = compose[name]
        started = [*service.get("entrypoint", ["cpc"]), *service.get("command", [])]
        assert container["command"] == started
        assert {each["name"] for each in container["env"]} >= {
            each for each in service["environment"] if each.startswith("DAGSTER_")
        }
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    # The image has what both name.
    image = (PROJECT_ROOT / "Dockerfile").read_text()
    assert "COPY deploy/dagster.yaml workspace.yaml /opt/dagster/" in image
    assert "/opt/dagster/workspace.yaml" in containers["web"]["command"]
