"""Settings of a deployment; the only reader of the environment.

Every value can be set by an environment variable starting with `CPC_` (nested values with `__`, lists as
JSON), or in `settings.yml` in the workspace. Settings are read once, validated and frozen.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

PACKAGE = Path(__file__).resolve().parent
INSTALLED = (PACKAGE / "project").is_dir()
"""Whether this is a wheel's copy of the package, not a checkout's."""

PROJECT_ROOT = PACKAGE / "project" if INSTALLED else PACKAGE.parent
"""Folder of the dbt project, the example contexts and Dagster's workspace file."""

_HOME = Path.cwd() if INSTALLED else PROJECT_ROOT
_Mapped = Literal["common_bill_format", "azure_details", "google_billing", "oracle_cost", "openai_costs"]
BillingFormat = Literal["auto", "cur_legacy", "cur_2", "focus", "plain", _Mapped, "anthropic_costs"]

MONTH = r"\d{4}-(?:0[1-9]|1[0-2])"
"""A month written as YYYY-MM."""
MEMORY = r"(?i)^(\d+(\.\d+)?\s*([kmgt]i?b?|b|bytes|%))?$"  # as DuckDB reads it


class ExpectedError(Exception):
    """An error the user can fix; the message says what, where and what to do.

    `may_pass`: it may be gone at the next try, such as a service that is busy.
    """

    may_pass = False


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class S3Settings(_Group):
    """S3 access. Credentials come from boto3's usual chain (role, profile, environment)."""

    endpoint_url: str | None = Field(None, description="Another S3 API than AWS', as http://localhost:9000")
    region_name: str | None = Field(None, description="Region, such as eu-west-1; empty: boto3's default")


class BillingExport(_Group):
    """A location that a provider delivers bills to.

    `location` is a folder or a prefix (s3://, gs://, az://); it may hold several reports as AWS lays them
    out, or single files. `name` becomes `x_source_name` of its charges.
    """

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", description="Name; `x_source_name` of its charges"
    )
    location: str = Field(description="Folder, s3://, gs:// or az:// prefix, of reports or files")
    format: BillingFormat = Field("auto", description="auto: recognised by each file's header")
    billing_currency: str | None = Field(None, description="For files without a currency, e.g. USD")
    ignore: tuple[str, ...] = Field((), description="Keys of files and reports to ignore, such as focus/*")


class AwsAccess(_Group):
    """Access to an AWS account: through a role in it, or with the current credentials."""

    role_arn: str | None = Field(None, description="Role to assume there; empty: the current identity")
    external_id: str | None = Field(None, description="External id, if the role's trust policy requires one")


class InventoryAccess(AwsAccess):
    """An account and regions whose resources are listed."""

    regions: tuple[str, ...] = Field(min_length=1, description="Regions whose resources are listed")


class AlertMail(_Group):
    """Mail server and receivers of anomaly alerts."""

    host: str = Field(description="Mail server")
    port: int = Field(587, ge=1, le=65535, description="Its port")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="Encryption")
    user: str = Field("", description="Empty: without authentication")
    password: SecretStr = Field(SecretStr(""), description="Password of the user")
    sender: str = Field(description="Address that alerts are sent from")
    receivers: tuple[str, ...] = Field(min_length=1, description="Addresses that alerts are sent to")


class SparkSettings(_Group):
    """The Spark of `engine: spark`."""

    master: str = Field("", description="Spark's master, such as local[4]; empty: that of spark-submit")
    remote: str = Field("", description="Address of Spark Connect, sc://host:port, in place of a master")
    conf: dict[str, str] = Field({}, description="Properties of Spark, such as spark.executor.memory: 8g")
    task_memory: str = Field("", pattern=MEMORY, description="DuckDB's memory in a task; empty: 80% of all")
    storage: str = Field("", description="s3://bucket/prefix, for executors that do not see the workspace")


def _location(of: str) -> Any:
    """A field for the place of a source's files; its default is a folder of the workspace."""
    return Field("", description=f"Folder, s3://, gs:// or az:// of {of}; empty: in `<workspace>/sources`")


class Settings(BaseSettings):
    """All settings of one deployment; see the module docstring for how to set them."""

    model_config = SettingsConfigDict(
        env_prefix="CPC_", env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    workspace: Path = Field(_HOME / "workspace", description="Folder with sources, warehouse and results")
    contexts: Path = Field(_HOME / "contexts", description="Folder of rules; default: `<workspace>/contexts`")
    cache: Path = Field(Path("~/.cache/cost-per-customer"), description="What dbt parsed, for new workspaces")
    s3: S3Settings = Field(S3Settings(), description="Access to S3, for all `s3://` locations")
    aws_endpoint_url: str | None = Field(None, description="Endpoint for AWS APIs except S3, such as a proxy")

    billing_exports: tuple[BillingExport, ...] = Field(
        (), description="Where bills are delivered; empty: `<workspace>/sources/billing`"
    )
    billing_overlaps: Literal["refuse", "count"] = Field(
        "refuse", description="Whether charges in two exports or files stop the run, or count twice"
    )
    telemetry_location: str = _location("usage batches")
    customers_location: str = _location("customer lists")
    inventory_location: str = _location("resource snapshots")
    inventory_accounts: tuple[InventoryAccess, ...] = Field(
        (), description="Accounts to inventory on every run"
    )
    accounts_location: str = _location("account lists")
    organization: AwsAccess | None = Field(
        None, description="Management account or delegated administrator, to list the organization's accounts"
    )
    deployments_location: str = _location("deployments")
    opencost_location: str = _location("OpenCost's allocation exports")
    revenue_location: str = _location("revenue files")
    exchange_rates_location: str = _location("exchange rates")
    reporting_currency: str = Field("", pattern="^([A-Z]{3})?$", description="For the marts in one currency")
    exchange_rate_days: int = Field(7, ge=1, description="How many days an exchange rate holds")
    export_formats: tuple[Literal["csv", "parquet"], ...] = Field(
        (), description="Formats in which every run exports each mart, by day"
    )
    export_postgres: SecretStr | None = Field(
        None,
        description="Postgres database that every run exports to: postgresql://user:password@host/database",
    )
    export_iceberg: dict[str, str] = Field(
        {}, description="Iceberg catalog that every run exports to, as PyIceberg properties"
    )
    focus_version: Literal["1.2", "1.3", "1.4"] = Field("1.2", description="Version of focus_customer_costs")
    export_schema: str = Field(
        "costs", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="Schema in Postgres, namespace in Iceberg"
    )
    product_dimension: str = Field(
        "product", description="Dimension whose elements are the products named in revenue files"
    )
    landing: Path | None = Field(None, description="Landed Parquet files; default: `<workspace>/landing`")
    warehouse: Path | None = Field(None, description="DuckDB file; default: `<workspace>/warehouse.duckdb`")
    published: Path | None = Field(None, description="Published snapshots; default: `<workspace>/published`")

    first_billing_month: str = Field(
        "",
        pattern=f"^({MONTH})?$",
        description="First month that Dagster offers; empty: the first month that has a bill",
    )
    owners: tuple[str, ...] = Field(("team:finops",), description="Owners in Dagster: team:name, or mail")
    column_lineage: bool = Field(False, description="Record in Dagster what the marts' columns come from")
    explanations_days: int = Field(7, ge=0, description="Number of latest days in allocation_explanations")
    hourly_costs_days: int = Field(
        0,
        ge=0,
        description="Number of latest days in customer_costs_hourly; up to 24 times the rows of a day",
    )
    resource_costs_days: int = Field(62, ge=0, description="Number of latest days in resource_costs_daily")
    anomaly_dimension: str = Field(
        "", description="Dimension monitored for anomalies; empty: feature, or the contexts' first one"
    )
    anomaly_hourly_series: int = Field(
        2000, ge=0, description="Number of customer series monitored by hour, the costliest first"
    )
    alert_webhook_url: SecretStr | None = Field(None, description="New anomalies are posted to it, as JSON")
    alert_mail: AlertMail | None = Field(None, description="Mail server and receivers of new anomalies")
    alert_urls: dict[str, SecretStr] = Field(
        {}, description="Apprise addresses of further receivers (Slack, Teams, PagerDuty, …), by a name each"
    )
    alert_recent_days: int = Field(
        7, ge=1, description="Alert only for anomalies that lasted into this many of the last days"
    )
    alert_lowest_rank: int | None = Field(None, ge=1, description="Alert up to this impact_rank; empty: all")
    snapshots_kept: int = Field(5, ge=1, description="Number of latest snapshots that readers can still open")
    runs_kept: int = Field(200, ge=1, description="Number of latest runs in Dagster's history")
    telemetry_loads_kept: int = Field(32, ge=1, description="Loads of a size kept apart; more are merged")
    batch_rows: int = Field(10_000_000, ge=1, description="Charges and usage records in one batch of days")
    duckdb_threads: int = Field(0, ge=0, description="DuckDB's threads; 0: one per core")
    duckdb_memory_limit: str = Field("", pattern=MEMORY, description="DuckDB's memory; empty: 80% of all")
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="What computes days: docs/spark.md")
    spark: SparkSettings = Field(SparkSettings(), description="The Spark of `engine: spark`")
    report_cost_rows: int = Field(
        1_150_000, ge=1000, description="Maximum rows of costs in the report; 100,000 take about 700 kB"
    )
    writer_wait_seconds: float = Field(3600, ge=0, description="How long a run waits for the writer lock")

    usage_connections: dict[str, SecretStr] = Field({}, description="Addresses that `usage.yml` names")
    usage_earliest_day: date = Field(date(2000, 1, 1), description="Usage before this day (UTC) is rejected")
    usage_future_hours: int = Field(24, ge=0, description="Usage further ahead than this is rejected")

    api_host: str = Field("127.0.0.1", description="Address `cpc api` listens on; put TLS in front of it")
    api_port: int = Field(8787, ge=0, le=65535, description="Port of `cpc api`; 0: any free one")
    api_body_bytes: int = Field(16 << 20, ge=1, description="Maximum size of a request body, uncompressed")
    api_keys_kept_days: int = Field(30, ge=1, description="How long an Idempotency-Key is remembered")
    api_requests_per_second: float = Field(50, gt=0, description="Sustained rate per token")
    api_request_burst: int = Field(100, ge=1, description="Burst of requests per token")

    @field_validator("workspace", "contexts", "landing", "warehouse", "published")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("alert_urls")
    @classmethod
    def _has_names_of_its_own(cls, urls: dict[str, SecretStr]) -> dict[str, SecretStr]:
        if taken := sorted({"webhook", "mail"} & urls.keys()):
            raise ValueError(f"{' and '.join(taken)} is the name of another receiver; choose another")
        return urls

    @field_validator("alert_webhook_url")
    @classmethod
    def _is_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://")
        return url

    @model_validator(mode="before")
    @classmethod
    def _contexts_of_workspace(cls, given: dict[str, Any]) -> dict[str, Any]:
        own = Path(given.get("workspace", _HOME / "workspace")) / "contexts"
        return {"contexts": own, **given} if own.is_dir() else given

    @model_validator(mode="after")
    def _export_names_are_unique(self) -> Settings:
        names = [export.name for export in self.billing_exports]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"billing_exports: names must differ; given twice: {', '.join(repeated)}")
        return self

    @cached_property
    def sources(self) -> Path:
        """Default folder of all sources."""
        return self.workspace / "sources"

    @cached_property
    def exports(self) -> tuple[BillingExport, ...]:
        """The billing exports; by default one named `billing` in the workspace."""
        return self.billing_exports or (
            BillingExport(name="billing", location=str(self.sources / "billing")),
        )

    def location_of(self, source: str) -> str:
        """Location of a source's files: `<source>_location`, else a folder of the workspace."""
        return getattr(self, f"{source}_location", "") or str(self.sources / source)

    @cached_property
    def landing_folder(self) -> Path:
        """Root of the landed Parquet files."""
        return self.landing or self.workspace / "landing"

    @cached_property
    def warehouse_file(self) -> Path:
        """The working DuckDB database, written by one run at a time; readers use the published one."""
        return self.warehouse or self.workspace / "warehouse.duckdb"

    @cached_property
    def days_folder(self) -> Path:
        """Files of models kept by day; the working database has views over them."""
        return self.warehouse_file.with_name("days")

    @cached_property
    def published_folder(self) -> Path:
        """Folder of `current.duckdb` and the marts' Parquet files, for readers."""
        return self.published or self.workspace / "published"

    @cached_property
    def alert_ledger(self) -> Path:
        """SQLite file that records delivered alerts."""
        return self.workspace / "alerts.sqlite3"

    @cached_property
    def export_folder(self) -> Path:
        """Target folder of exports."""
        return self.workspace / "exports"

    @cached_property
    def dbt_project(self) -> Path:
        """The assembled dbt project of a run: hand-written models plus those compiled from the contexts."""
        return self.workspace / "dbt_project"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (pydantic names the arguments)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Precedence: explicit values, then the environment, then the workspace's `settings.yml`."""
        known = {**env_settings(), **init_settings()}
        workspace = Path(known.get("workspace", cls.model_fields["workspace"].default)).expanduser()
        file = settings_cls.model_config.get("yaml_file") or workspace / "settings.yml"
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, file)
