"""What the house consists of, and the settings that its parts are given."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from services.local import folder, servers
from services.local.folder import CannotRun
from shared.settings import SERVER_URLS, Settings


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name, the module that runs it, and the setting that holds its port where it answers /readyz."""

    name: str
    module: str
    port: str | None = None
    has_metrics: bool = True


SERVICES = (
    Service("api", "services.api", "api_port"),
    Service("ingest", "services.ingest", "ingest_port"),
    Service("ingest_worker", "services.ingest.worker"),
    Service("scheduler", "services.scheduler"),
    Service("sandbox", "services.sandbox", "sandbox_port", has_metrics=False),
)


def metrics_ports(settings: Settings, services: Sequence[Service]) -> dict[str, int]:
    """Where each service shows its figures: on its own port, else on PARVIS_METRICS_PORT and the ones after it.

    Where that is not set, on ports that are free now.
    """
    found: dict[str, int] = {}
    unseen = [service.name for service in services if service.port is None and service.has_metrics]
    for service in services:
        if service.port is not None and service.has_metrics:
            found[service.name] = getattr(settings, service.port)
    for number, name in enumerate(unseen):
        given = settings.metrics_port + number if settings.metrics_port else None
        found[name] = given or servers.free_port(tuple(found.values()))
    return found


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which a service finds these settings; its URLs and secret keys are set already."""
    values = (
        settings.database_url,
        settings.worker_database_url,
        settings.door_database_url,
        settings.owner_database_url,
        settings.redis_url,
    )
    told = {
        "PARVIS_SECRET_KEYS": ",".join(key.get_secret_value() for key in settings.secret_keys),
        "PARVIS_DATA_DIR": str(settings.data_dir),
        "PARVIS_HOST": settings.host,
        "PARVIS_API_PORT": str(settings.api_port),
        "PARVIS_INGEST_PORT": str(settings.ingest_port),
        "PARVIS_SANDBOX_PORT": str(settings.sandbox_port),
        "PARVIS_EXAMPLE": str(int(settings.example)),
        "PARVIS_PRIVATE_NETWORKS": ",".join(str(network) for network in settings.private_networks),
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **{name: value for name, value in zip(SERVER_URLS, values, strict=True) if value}, **told}


def connected(settings: Settings) -> Settings:
    """The settings of a command that works beside `parvis up`: data folder, server URLs and secret keys filled in.

    Raises CannotRun where the servers are embedded and not running.
    """
    refuse_some_servers(settings)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    if settings.embedded:
        kept = servers.read_kept(settings.data_dir)
        if kept is None or servers.is_free(kept.postgres_port):
            raise CannotRun(
                f"Parvis does not run on {settings.data_dir}: start it by `make up` (or `parvis up`) first."
            )
        settings = servers.with_urls(settings, kept)
    folder.prepare(settings.data_dir)
    return with_keys(_where_it_runs(settings))


def _where_it_runs(settings: Settings) -> Settings:
    """The addresses of the house that runs on this data folder, where this command's own environment names none."""
    local = folder.read_local(settings.data_dir)
    if local is None:
        return settings
    found: dict[str, object] = {}
    for name, setting in (("api", "api_port"), ("ingest", "ingest_port"), ("sandbox", "sandbox_port")):
        told = urlsplit(str(local.get(name, "")))
        if told.hostname and told.port:
            found |= {setting: told.port, "host": told.hostname}
    set_here = settings.model_fields_set
    return settings.model_copy(update={name: value for name, value in found.items() if name not in set_here})


def with_keys(settings: Settings) -> Settings:
    """The settings with the installation's secret keys, made now where there are none."""
    return settings.model_copy(update={"secret_keys": tuple(SecretStr(key) for key in folder.secret_keys(settings))})


def refuse_some_servers(settings: Settings) -> None:
    """Raise CannotRun where some server URLs are set and others are not, naming the missing ones."""
    missing = settings.missing_servers()
    if missing and not settings.embedded:
        raise CannotRun(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, while other server URLs are: "
            "set all five to use your own servers, or none for embedded ones."
        )
