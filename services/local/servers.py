"""PostgreSQL and Valkey as our own children: real servers from wheels, kept in the data folder."""

import json
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from services.local import postgres, valkey
from services.local.folder import CannotRun, explain, write_private
from services.local.processes import Program, end, rotate, start
from shared.settings import Settings

_KEPT = "servers.json"
_ROLES = ("postgres", "parvis_owner", "parvis_app", "parvis_worker", "parvis_door")
# Below the range from which kernels give ports to outgoing connections: none of ours is taken while a server restarts.
_PORTS = (15000, 32000)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers are: plain URLs, database `parvis`. `superuser` is for tests and mending only."""

    superuser: str
    owner: str
    app: str
    worker: str
    door: str
    redis: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is chosen once and then stays: the ports, and a random password for each role."""

    postgres_port: int
    valkey_port: int
    passwords: dict[str, str]

    def urls(self) -> ServerUrls:
        """The URLs that these ports and passwords make."""
        superuser, owner, app, worker, door = (
            f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.postgres_port}/parvis" for role in _ROLES
        )
        return ServerUrls(superuser, owner, app, worker, door, f"redis://127.0.0.1:{self.valkey_port}/0")


@dataclass(frozen=True, slots=True)
class Servers:
    """The two servers of one data folder, made and ready to be started."""

    kept: Kept
    postgres: Program
    valkey: Program

    @property
    def urls(self) -> ServerUrls:
        return self.kept.urls()


def read_kept(folder: Path) -> Kept | None:
    """The ports and passwords of a data folder; None where it has none yet. CannotRun where they can't be read."""
    path = folder / _KEPT
    try:
        found = json.loads(path.read_text("utf-8"))
        return Kept(
            int(found["postgres_port"]), int(found["valkey_port"]), {role: found["passwords"][role] for role in _ROLES}
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, folder) from error
    except (ValueError, KeyError, TypeError):
        raise CannotRun(
            f"{path} is damaged: put it back from a copy, or move the data folder away and restore a backup."
        ) from None


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(taken: tuple[int, ...] = ()) -> int:
    """A port that nobody listens on and that is not in `taken`."""
    for _ in range(1000):
        port = random.randrange(*_PORTS)
        if port not in taken and is_free(port):
            return port
    raise CannotRun("No free port was found for the embedded servers between 15000 and 32000.")


def _write_kept(folder: Path, kept: Kept) -> None:
    shown = {"postgres_port": kept.postgres_port, "valkey_port": kept.valkey_port, "passwords": kept.passwords}
    write_private(folder / _KEPT, json.dumps(shown, indent=2) + "\n")


def _keep(folder: Path, say: Say) -> Kept:
    """The kept ports and passwords; made the first time, and a port that somebody else has taken is changed."""
    kept = read_kept(folder)
    if kept is None:
        if (folder / postgres.FOLDER).exists():
            raise CannotRun(
                f"{folder / _KEPT} is missing, and with it the passwords of the database beside it: "
                "put it back from a copy, or move the data folder away and restore a backup."
            )
        first = free_port()
        kept = Kept(first, free_port((first,)), {role: secrets.token_hex(24) for role in _ROLES})
        _write_kept(folder, kept)
        return kept
    ports = [kept.postgres_port, kept.valkey_port]
    for index, name in enumerate(("PostgreSQL", "Valkey")):
        if not is_free(ports[index]):
            was, ports[index] = ports[index], free_port(tuple(ports))
            say(f"Port {was} is taken by another program: {name} now listens on {ports[index]}.")
    if ports != [kept.postgres_port, kept.valkey_port]:
        kept = Kept(ports[0], ports[1], kept.passwords)
        _write_kept(folder, kept)
    return kept


def prepare(folder: Path, say: Say, *, fast: bool = False) -> Servers:
    """Make what is missing of the two servers in `folder`, an absolute path that the caller has claimed.

    Ends what an earlier run left behind. `fast` gives up durability, for tests. Raises CannotRun.
    """
    postgres.clear(folder, say)
    kept = _keep(folder, say)
    logs = folder / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    for name in ("postgres", "valkey"):
        rotate(logs / f"{name}.log")
    postgres.make(folder, kept.passwords, say, fast=fast)
    return Servers(
        kept,
        postgres.program(folder, kept.postgres_port, fast=fast),
        valkey.program(folder, kept.valkey_port),
    )


def with_urls(settings: Settings, kept: Kept) -> Settings:
    """The settings with the embedded servers' URLs filled in."""
    urls = kept.urls()
    return settings.model_copy(
        update={
            "database_url": urls.app,
            "worker_database_url": urls.worker,
            "door_database_url": urls.door,
            "owner_database_url": urls.owner,
            "redis_url": urls.redis,
        }
    )


def _wait(folder: Path, servers: Servers, children: dict[str, Popen[bytes]], since: int) -> None:
    """Wait until both answer. Raises CannotRun where PostgreSQL ends instead."""
    while not postgres.is_ready(folder, children["postgres"].pid):
        if children["postgres"].poll() is not None:
            raise postgres.explain_end(folder, since)
        time.sleep(0.02)
    while not valkey.is_ready(servers.kept.valkey_port, children["valkey"].pid):
        if children["valkey"].poll() is not None:
            raise CannotRun(f"Valkey ended while it started: see {servers.valkey.log}.")
        time.sleep(0.02)


@contextmanager
def temporary_servers(folder: Path, *, fast: bool = True) -> Iterator[ServerUrls]:
    """Real servers in `folder` for the length of a block: for tests, so durable only where `fast` is off.

    Enter it from a thread that outlives the block (the main one): the kernel ends the servers with that thread.
    """
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    servers = prepare(folder, lambda _: None, fast=fast)
    since = postgres.log_size(folder)
    children: dict[str, Popen[bytes]] = {}
    try:
        for program in (servers.postgres, servers.valkey):
            children[program.name] = start(program)
        _wait(folder, servers, children, since)
        yield servers.urls
    finally:
        end([(child, getattr(servers, name).stop) for name, child in children.items()], grace=20)
