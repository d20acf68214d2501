"""One whole house, started by the command that the contract names, and tenants in it made by the other one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.house import Channel, Json, Tenant, mention
from tests.contract.receiver import SECRET, Receiver, handler

ROOT = Path(__file__).parents[2]
FRONTEND = "https://frontend.example"
SETTINGS = ("PARVIS_", "DATABASE_URL", "REDIS_URL")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for it in sockets:
        it.bind(("127.0.0.1", 0))
    ports = [int(it.getsockname()[1]) for it in sockets]
    for it in sockets:
        it.close()
    return ports


def environment(folder: Path) -> dict[str, str]:
    api, ingest, sandbox = free_ports(3)
    mine = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return mine | {
        "PARVIS_DATA_DIR": str(folder),
        "PARVIS_API_PORT": str(api),
        "PARVIS_INGEST_PORT": str(ingest),
        "PARVIS_SANDBOX_PORT": str(sandbox),
        "PARVIS_EXAMPLE": "0",
        "PARVIS_PRIVATE_NETWORKS": "127.0.0.0/8",
        "PARVIS_CORS_ORIGINS": FRONTEND,
        "PARVIS_RETRY_FIRST_SECONDS": "1",
        "PARVIS_RETRY_TIMES": "0",
        "PARVIS_LEASE_SECONDS": "20",
    }


def parvis(folder: Path, told: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *words],
        cwd=ROOT, env=told, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Up:
    """A running `parvis up` and its data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = environment(folder)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        return self.folder / "local.json"

    @property
    def local(self) -> Json:
        found: Json = json.loads(self.file.read_text())
        return found

    def start(self) -> None:
        said = self.folder.with_suffix(".log")
        with said.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.cli", "up"],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 180
        while not self.file.exists():
            assert self.process.poll() is None, said.read_text()
            assert time.monotonic() < end, said.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """SIGTERM "stops all of it within seconds and leaves no process", and local.json is removed."""
        assert self.process is not None
        pids = self.local["pids"]
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        assert not self.file.exists()
        assert [name for name, pid in pids.items() if pid and is_alive(pid)] == []

    def organization(self, name: str, brand: str) -> Json:
        made = parvis(self.folder, self.environment, "organization", "create", "--name", name, "--brand", brand)
        assert made.returncode == 0, made.stdout + made.stderr
        found: Json = json.loads(made.stdout)
        return found


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A house by `parvis up`, in a folder and on ports of its own."""
    house = Up(tmp_path_factory.mktemp("house") / "a data folder")
    house.start()
    try:
        yield house
    finally:
        house.stop()


@pytest.fixture(scope="session")
def web() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def first(up: Up, web: httpx.Client) -> Tenant:
    """The tenant of local.json."""
    local = up.local
    return Tenant(local, local, web)


@pytest.fixture(scope="session")
def tenants(up: Up, web: httpx.Client) -> Callable[[str], Tenant]:
    """The organization and brand of this name; made by the command when first asked for."""
    known: dict[str, Tenant] = {}

    def find_or_make(name: str) -> Tenant:
        if name not in known:
            known[name] = Tenant(up.local, up.organization(f"{name} NV", name), web)
        return known[name]

    return find_or_make


@pytest.fixture(scope="module")
def tenant(tenants: Callable[[str], Tenant], request: pytest.FixtureRequest) -> Tenant:
    """The brand that this module shares with those of its kind, or its own where it counts what is there."""
    name = request.module.__name__.rpartition(".test_")[2]
    return tenants(name if name == "rest_lists" else name.split("_")[0].replace("sending", "posts"))


@pytest.fixture(scope="session")
def other(tenants: Callable[[str], Tenant]) -> Tenant:
    """Somebody else's brand, with one mention in it."""
    found = tenants("Other")
    found.hear({"id": "theirs", "kind": "comment", "text": "secret of the others", "author": {"id": "x"},
                "published_at": "2026-11-20T10:00:00Z"})  # fmt: skip
    return found


def problem(answer: httpx.Response, status: int, code: str | None = None) -> Json:
    """The RFC 9457 body of a refusal, checked against section 6."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code", "request_id", "retryable", "errors"} <= set(found), found
    assert found["status"] == status
    assert found["request_id"] == answer.headers["request-id"]
    assert isinstance(found["retryable"], bool)
    for place in found["errors"] or []:
        assert {"pointer", "code", "detail"} <= set(place)
    if code is not None:
        assert found["code"] == code
    return found


def problem_at(arrival: Json, index: int) -> Json:
    found = [it for it in arrival["problems"] if it["index"] == index]
    assert found, arrival["problems"]
    assert {"index", "path", "message"} <= set(found[0])
    assert found[0]["message"]
    problem: Json = found[0]
    return problem


@pytest.fixture
def generic(tenant: Tenant) -> Channel:
    return tenant.channel("generic")


@pytest.fixture
def facebook(tenant: Tenant) -> Channel:
    return tenant.channel("facebook")


@pytest.fixture
def draft(tenant: Tenant) -> httpx.Response:
    answer = tenant.rest("POST", "/posts", json={"text": "Bonjour", "channel_ids": [tenant.channel("sandbox").id]})
    assert answer.status_code == 201, answer.text
    return answer


@pytest.fixture(scope="module")
def said(tenant: Tenant) -> Tenant:
    tenant.hear(
        *(mention(f"g{n}", f"text {n}", published_at="2026-11-20T10:00:00Z") for n in range(5)),
        mention("child", "answer", kind="reply", parent_id="g0", published_at="2026-11-20T11:00:00Z",
                media=[{"url": "https://example.org/a.jpg", "kind": "image"}]),
        mention("edited", "one", published_at="2026-11-19T11:00:00Z"),
        mention("edited", "two", published_at="2026-11-19T11:00:00Z", edited_at="2026-11-19T12:00:00Z"),
        mention("gone", published_at="2026-11-18T11:00:00Z"),
    )  # fmt: skip
    tenant.hear(deleted=["gone"])
    return tenant


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def partner(tenant: Tenant, receiver: Receiver) -> Channel:
    """A generic channel that sends to the receiver."""
    return tenant.connect(name="partner", credentials={"url": receiver.url, "secret": f"whsec_{SECRET}"})
