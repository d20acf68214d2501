"""docker-compose.yml without Docker: each service's own command and health check, told only what it is told there."""

import asyncio
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from ruamel.yaml import YAML

from services.local.servers import ServerUrls, free_port
from tests.conftest import on_database

ROOT = Path(__file__).parents[2]
COMPOSE = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = {name: one for name, one in COMPOSE["services"].items() if name not in {"postgres", "valkey"}}
RUNNING = [name for name in SERVICES if name != "migrate"]
SECONDS = 60.0


def image_environment(data_dir: Path) -> dict[str, str]:
    """What the Dockerfile sets, its data folder being this one; and where its programs are."""
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    told = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
    return told | {"PARVIS_DATA_DIR": str(data_dir), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}


@dataclass(frozen=True)
class Stack:
    """The services over real servers. What differs from Docker is where these are, and that ports must be free."""

    secrets: dict[str, str]
    places: dict[str, str]  # what compose writes, and what stands for it here
    folder: Path

    def environment(self, name: str) -> dict[str, str]:
        set_here = {key: self._here(str(value)) for key, value in SERVICES[name]["environment"].items()}
        return image_environment(self.folder / name) | set_here | self._ports(name)

    def command(self, name: str) -> list[str]:
        return list(SERVICES[name]["command"])

    def is_healthy(self, name: str) -> bool:
        kind, *test = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run([self._here(word) for word in test], name).returncode == 0

    def run(self, argv: list[str], name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=ROOT, env=self.environment(name), capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def _here(self, text: str) -> str:
        """The text with its variables filled in as compose does, and its servers' places exchanged."""

        def filled(found: re.Match[str]) -> str:
            variable, rule, rest = found.groups()
            assert rule == ":-" or variable in self.secrets, f"{variable} has no value and no default"
            return self.secrets.get(variable, rest if rule == ":-" else "")

        text = re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", filled, text)
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def _ports(self, name: str) -> dict[str, str]:
        if "PARVIS_METRICS_PORT" in SERVICES[name]["environment"]:
            return {"PARVIS_METRICS_PORT": str(free_port())}
        port = {"api": "8000", "ingest": "8001"}.get(name)
        return {f"PARVIS_{name.upper()}_PORT": self.places[f"127.0.0.1:{port}"].rpartition(":")[2]} if port else {}


@pytest.fixture(scope="module")
def stack(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """An empty database of its own, as the owner finds it after the first start of the postgres container."""
    name = f"compose_{uuid.uuid4().hex[:8]}"
    statement = f'CREATE DATABASE "{name}" OWNER parvis_owner'
    asyncio.run(_on(servers.superuser, statement))
    at = {role: urlsplit(getattr(servers, role)) for role in ("app", "worker", "door", "owner")}
    secrets = {f"PARVIS_{role.upper()}_PASSWORD": str(url.password) for role, url in at.items()}
    postgres = urlsplit(on_database(servers.owner, name))
    places = {
        "@postgres:5432/parvis": f"@{postgres.hostname}:{postgres.port}{postgres.path}",
        "redis://valkey:6379/0": servers.redis,
        **{f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (8000, 8001)},
    }
    return Stack(secrets | {"PARVIS_SECRET_KEYS": "a key of the stack"}, places, tmp_path_factory.mktemp("stack"))


async def _on(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def migrated(stack: Stack) -> subprocess.CompletedProcess[str]:
    return stack.run(stack.command("migrate"), "migrate")


@pytest.fixture(scope="module")
def sick(stack: Stack, migrated: object) -> dict[str, bool]:
    """What each health check says while nothing runs."""
    return {name: stack.is_healthy(name) for name in RUNNING}


@pytest.fixture(scope="module")
def running(stack: Stack, sick: object) -> Iterator[dict[str, "subprocess.Popen[Any]"]]:
    """Every service at once."""
    with ExitStack() as all_of_it:
        found = {}
        for name in RUNNING:
            log = all_of_it.enter_context((stack.folder / f"{name}.log").open("wb"))
            found[name] = subprocess.Popen(
                stack.command(name), cwd=ROOT, env=stack.environment(name), stdout=log, stderr=log
            )
        try:
            yield found
        finally:
            for process in found.values():
                process.kill()
                process.wait()


def test_migrate_ends_well(migrated: "subprocess.CompletedProcess[str]") -> None:
    assert migrated.returncode == 0, migrated.stderr
    assert "The schema is at" in migrated.stdout


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_that_does_not_run_is_not_healthy(sick: dict[str, bool], name: str) -> None:
    assert sick[name] is False


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_becomes_healthy(stack: Stack, running: dict[str, "subprocess.Popen[Any]"], name: str) -> None:
    end = time.monotonic() + SECONDS
    while not stack.is_healthy(name):
        said = (stack.folder / f"{name}.log").read_text()
        assert running[name].poll() is None, said
        assert time.monotonic() < end, said
        time.sleep(0.2)


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_ends_within_its_grace(stack: Stack, running: dict[str, "subprocess.Popen[Any]"], name: str) -> None:
    grace = float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    running[name].send_signal(signal.SIGTERM)

    assert running[name].wait(grace) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_is_told_the_database_of_its_own_role_only(stack: Stack, name: str) -> None:
    own = {"api": "DATABASE_URL", "ingest": "PARVIS_DOOR_DATABASE_URL"}.get(name, "PARVIS_WORKER_DATABASE_URL")

    assert {key for key in SERVICES[name]["environment"] if key.endswith("DATABASE_URL")} == {own}
