"""Invalid settings: what is wrong, where, and the last valid ones for Dagster's code location."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsConfigDict, SettingsError

from orchestration.compiler.problems import did_you_mean
from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.files import write_file

# Variables of `cpc send` and of the tests.
_OF_COMMANDS = ("CPC_API_TOKEN", "CPC_API_URL", "CPC_SHARED_DATA", "CPC_TIMES_AS_MANY_EXAMPLES")


class InvalidSettings(ExpectedError):  # noqa: N818 (named like `ContextProblems`)
    """Settings that cannot be used; one line for each, with file and line or environment variable."""


def read_settings(**given: Any) -> Settings:
    """The settings, `given` values first. Raises `InvalidSettings`."""
    file = _file(given)
    try:
        if not isinstance(_content(file), yaml.MappingNode | None):
            raise InvalidSettings(f"{file} must consist of lines such as `snapshots_kept: 5`")
        return Settings(**given)
    except yaml.YAMLError as error:
        raise InvalidSettings(f"{file} is not valid YAML: {error}") from error
    except (SettingsError, TypeError, ValueError) as error:
        errors = error.errors() if isinstance(error, ValidationError) else []
        lines = [_line(file, each) for each in errors] or [f"{file}: {error}"]
        raise InvalidSettings("\n".join(lines)) from error


def unknown_variables() -> list[str]:
    """A line for each variable CPC_… that no setting or command reads; pydantic-settings passes over them.

    Not an error: Kubernetes gives a pod variables named after services.
    """
    known = [f"CPC_{name.upper()}" for name in Settings.model_fields] + [*_OF_COMMANDS]
    unknown = sorted(
        name
        for name in os.environ
        if name.upper().startswith("CPC_") and name.upper().partition("__")[0] not in known
    )
    return [
        f"{name} is ignored: there is no such setting{did_you_mean(name.upper(), known)}" for name in unknown
    ]


def read_or_last() -> tuple[Settings, InvalidSettings | None]:
    """The settings; while they are invalid, those that were read last, and the problem."""
    file = _file({})
    kept = file.parent / "dagster_home" / file.name
    try:
        settings = read_settings()
    except InvalidSettings as problem:
        try:
            of_kept = {"model_config": SettingsConfigDict(yaml_file=kept), "__module__": __name__}
            return type("KeptSettings", (Settings,), of_kept)(), problem
        except ValueError:  # the environment is invalid: another start is needed anyway
            raise problem from None
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    if text != (kept.read_text(encoding="utf-8") if kept.is_file() else ""):
        write_file(kept, text, mode=0o600)  # may hold passwords
    return settings, None


def _file(given: Mapping[str, Any]) -> Path:
    """The file that settings are read from, in the workspace that is `given`, or the environment's."""
    default = {"workspace": Settings.model_fields["workspace"].default}
    known = {**default, **EnvSettingsSource(Settings)(), **given}
    return Path(known["workspace"]).expanduser() / "settings.yml"


def _line(file: Path, error: ErrorDetails) -> str:
    path = [part for part in error["loc"] if part != "function-after"]
    name = ".".join(str(part) for part in path)
    line = _line_number(file, path)
    variable = "CPC_" + "__".join(str(part) for part in path).upper()
    place = f"{file}:{line}: {name}" if line else f"{variable}" if path else str(file)
    if error["type"] != "extra_forbidden":
        return f"{place}: {error['msg'].removeprefix('Value error, ')}"
    return f"{place}: there is no such setting{did_you_mean(str(path[-1]), _known(path[:-1]))}"


def _line_number(file: Path, path: list[Any]) -> int:
    """Line of the deepest part of `path` that is in the file; 0 if none is."""
    node, line = _content(file), 0
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _content(file: Path) -> yaml.Node | None:
    return yaml.compose(file.read_text(encoding="utf-8")) if file.is_file() else None


def _known(path: list[Any]) -> list[str]:
    """Names of the settings at `path`."""
    model: type[BaseModel] | None = Settings
    for part in path:
        if model and isinstance(part, str):
            model = _model(model.model_fields[part].annotation) if part in model.model_fields else None
    return list(model.model_fields) if model else []


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model(part))), None)
