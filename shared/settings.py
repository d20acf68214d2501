"""Every setting, read from the environment once, at a process's edge, and passed inwards."""

import json
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SERVER_URLS = (
    "DATABASE_URL",
    "PARVIS_WORKER_DATABASE_URL",
    "PARVIS_DOOR_DATABASE_URL",
    "PARVIS_OWNER_DATABASE_URL",
    "REDIS_URL",
)


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # recognised, not listened on


class AppSetting(BaseModel):
    """One of our registrations with a network, as PARVIS_APPS has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    network: str
    client_id: str
    client_secret: SecretStr
    base_url: str | None = None
    scopes: tuple[str, ...] = ()
    verify_token: SecretStr | None = None


class Settings(BaseSettings):
    """The settings table of docs/operate.md is generated from these fields."""

    # What was wrongly set may be a secret: an error names the setting and not what stands in it.
    model_config = SettingsConfigDict(env_prefix="PARVIS_", extra="ignore", frozen=True, hide_input_in_errors=True)

    # Servers
    database_url: str | None = Field(
        None, validation_alias="DATABASE_URL", description="PostgreSQL for the api, as its row-secured role."
    )
    worker_database_url: str | None = Field(None, description="PostgreSQL for the ingest worker and the scheduler.")
    door_database_url: str | None = Field(None, description="PostgreSQL for the door.")
    owner_database_url: str | None = Field(
        None,
        description="PostgreSQL for `parvis migrate`, which makes the other three roles where they are missing.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis 7 or Valkey 8, or newer. All five server URLs unset: embedded servers.",
    )

    # This installation
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys for secrets at rest and signed cursors, comma-separated, newest first. Unset: made once and"
        " kept in the data folder.",
    )
    data_dir: Path = Field(Path(".parvis"), description="Where embedded servers, keys and local.json live.")
    host: str = Field(
        "127.0.0.1",
        description="The address the services listen on; `0.0.0.0` and `::` are reached by loopback.",
    )
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the api.")
    ingest_port: int = Field(8001, ge=1, le=65535, description="Port of the door.")
    sandbox_port: int = Field(8002, ge=1, le=65535, description="Port of the practice network.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port where an ingest worker or a scheduler serves /metrics; 0: nowhere."
    )
    public_url: str | None = Field(None, description="The door's address as networks see it. Unset: its local address.")
    api_url: str | None = Field(
        None,
        description="The api's address as browsers see it, to which networks send people back. Unset: its local"
        " address.",
    )
    apps: Annotated[tuple[AppSetting, ...], NoDecode] = Field(
        (),
        description="Registrations with networks for connecting by consent, as a JSON list of objects with `network`,"
        " `client_id`, `client_secret` and, where needed, `base_url`, `scopes`, `verify_token`; kept by `parvis up` and"
        " `parvis migrate`.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins of frontends that may call the api from a browser, comma-separated; `*` for any. Only to"
        " origins that are named here are people sent back after a consent.",
    )
    private_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Address ranges that the guarded client may call although they are private, comma-separated.",
    )
    frontend_url: str | None = Field(
        None, description="The frontend's address, for links in notifications. Unset: they have none."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server for notifications: `smtp://user:password@host:587` (TLS by STARTTLS where the"
        " server has it) or `smtps://…:465`. Unset: no mails.",
    )
    mail_from: str = Field("Parvis <parvis@localhost>", description="Whom mails come from.")
    example: bool = Field(
        True,
        description="Play the example brand's payloads on the first run, and show its mentions on the start page.",
    )
    media_url: str | None = Field(
        None,
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?$",
        description="Where uploaded media are kept: `s3://bucket/prefix`. Unset: the folder `media` in the data folder,"
        " which the api and the scheduler must then share.",
    )
    s3_endpoint: str | None = Field(None, description="The address of an S3-compatible server. Unset: Amazon's own.")
    s3_region: str = Field("us-east-1", description="The bucket's region.")
    s3_key: str | None = Field(None, description="The access key's id for the bucket.")
    s3_secret: SecretStr | None = Field(None, description="The access key's secret for the bucket.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    # Limits
    webhook_max_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="Largest body the door takes.")
    media_max_bytes: int = Field(200 * 1024 * 1024, ge=1024, lt=2**31, description="Largest file that may be uploaded.")
    door_buffer: int = Field(
        2000, ge=1, description="Deliveries that may wait for their commit before the door answers 503."
    )
    rate_limit: int = Field(6000, ge=0, description="Requests a minute and key at the api; 0 for none.")
    arrival_days: int = Field(
        7, ge=1, description="Days that settled arrivals are kept; unreadable and dead ones stay 90."
    )
    arrival_batch: int = Field(500, ge=1, le=5000, description="Arrivals that a worker claims at once.")

    # The deep tier
    deep: bool = Field(
        False,
        description="Whether ingest workers look a second time, with a larger model, at moods that they are unsure of"
        " or that reach many; needs `pip install 'parvis[deep]'`. The same for all workers.",
    )
    deep_per_minute: int = Field(
        300,
        ge=1,
        description="Mentions that one ingest worker reads deep in a minute, over all brands; each takes a core about"
        " 50 ms.",
    )

    # Time
    statement_timeout_seconds: float = Field(
        10, gt=0, description="How long the api waits for PostgreSQL to answer one statement of a request."
    )
    send_timeout_seconds: float = Field(30, gt=0, description="How long a send waits for the network.")
    lease_seconds: float = Field(
        60,
        gt=0,
        description="How long a claimed arrival, send or poll is held before another worker may take it.",
    )
    sweep_seconds: float = Field(1, gt=0, description="How often workers look into PostgreSQL for what Redis lost.")
    retry_first_seconds: float = Field(
        10, gt=0, description="Wait before a send is tried again the first time; doubled each time."
    )
    retry_max_seconds: float = Field(3600, gt=0, description="Longest wait between two tries of a send.")
    retry_times: int = Field(8, ge=0, description="Tries of a send before it is put before a person.")
    poll_seconds: float = Field(60, gt=0, description="Wait between two polls of a channel.")
    reconcile_after_seconds: float = Field(
        900,
        ge=0,
        description="Holes in a channel's coverage that are longer are looked back upon, where its network can.",
    )
    webhook_retry_seconds: Annotated[tuple[float, ...], NoDecode] = Field(
        (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400),
        description="Waits between the tries of an outgoing webhook, comma-separated.",
    )
    webhook_disable_hours: float = Field(
        120, gt=0, description="Hours in which a webhook's every delivery fails before its endpoint is switched off."
    )
    webhook_timeout_seconds: float = Field(15, gt=0, description="How long an outgoing webhook waits for its answer.")
    mail_retry_seconds: Annotated[tuple[float, ...], NoDecode] = Field(
        (60, 300, 1800, 7200, 21600, 43200), description="Waits between the tries of a mail, comma-separated."
    )
    notification_days: int = Field(
        90, ge=1, description="Days that notifications, mails and deliveries of webhooks are kept."
    )
    shutdown_seconds: float = Field(
        10, gt=0, description="How long a service may take to finish what it began when it is asked to stop."
    )

    # Pools
    pool_size: int = Field(10, ge=1, description="Database connections of one api, worker or scheduler process.")

    @field_validator("media_url", "s3_endpoint", "s3_key", "s3_secret", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("apps", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else ()
        except ValueError:
            raise ValueError("this is not JSON; write a list of objects") from None

    @field_validator(
        "secret_keys", "cors_origins", "private_networks", "webhook_retry_seconds", "mail_retry_seconds", mode="before"
    )
    @classmethod
    def _split(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return [ip_network(part) for part in parts] if info.field_name == "private_networks" else parts

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
                raise ValueError("write smtp://user:password@host:port or smtps://…")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or any(ord(letter) < 32 for letter in value):
            raise ValueError("write an address, such as Parvis <parvis@example.org>")
        return value

    @property
    def webhook_waits(self) -> list[timedelta]:
        return [_seconds(wait) for wait in self.webhook_retry_seconds]

    @property
    def mail_waits(self) -> list[timedelta]:
        return [_seconds(wait) for wait in self.mail_retry_seconds]

    @property
    def statement_timeout(self) -> timedelta:
        return _seconds(self.statement_timeout_seconds)

    @property
    def lease(self) -> timedelta:
        return _seconds(self.lease_seconds)

    @property
    def reached_host(self) -> str:
        """How this machine reaches what listens on `host`: by loopback where that is every address it has."""
        return _EVERYWHERE.get(self.host, self.host)

    def address(self, port: int) -> str:
        """The address on this machine of a service that listens on this port."""
        host = self.reached_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def hook_base_url(self) -> str:
        """Where networks reach the door, without a trailing slash."""
        return (self.public_url or self.address(self.ingest_port)).rstrip("/")

    @property
    def api_base_url(self) -> str:
        """Where browsers reach the api, without a trailing slash."""
        return (self.api_url or self.address(self.api_port)).rstrip("/")

    def callback_url(self, network: str) -> str:
        """Where a network sends people back whom we asked for their consent."""
        return f"{self.api_base_url}/v1/oauth/{network}/callback"

    def approval_url(self, token: str) -> str:
        """Where a client approves."""
        return f"{self.api_base_url}/approve/{token}"

    def missing_servers(self) -> list[str]:
        """The names of the server URLs that are unset."""
        values = (
            self.database_url,
            self.worker_database_url,
            self.door_database_url,
            self.owner_database_url,
            self.redis_url,
        )
        return [name for name, value in zip(SERVER_URLS, values, strict=True) if not value]

    @property
    def embedded(self) -> bool:
        """Whether the servers are ours to run: none of their URLs is set."""
        return len(self.missing_servers()) == len(SERVER_URLS)
