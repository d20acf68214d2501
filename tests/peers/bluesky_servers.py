"""A real Bluesky network (directory, host, AppView, moderation) from npm, on servers that Parvis brings."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from services.local.processes import Program, end, start, tail
from services.local.servers import free_port, temporary_servers
from tests.peers.peer import CannotInstall, Say

PACKAGE, VERSION = "@atproto/dev-env", "0.3.215"
OLDEST_NODE = 20

_SCRIPT = Path(__file__).with_name("bluesky_network.cjs")
_UP_SECONDS = 120.0


def missing() -> str | None:
    """What this machine lacks, as a sentence."""
    for programs, what in (
        (("node",), f"Node {OLDEST_NODE} or newer"),
        (("npm",), "npm"),
        (("c++", "g++", "clang++"), "a C++ compiler, for its SQLite"),
    ):
        if not any(shutil.which(program) for program in programs):
            return f"the Bluesky network needs {what}, which is not here"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not told.startswith("v") or int(told[1:].split(".", maxsplit=1)[0]) < OLDEST_NODE:
        return f"the Bluesky network needs Node {OLDEST_NODE} or newer, and this is {told or 'none'}"
    return None


def install(folder: Path, say: Say) -> None:
    """Install the network's packages into `folder`, unless they are there. Raises CannotInstall."""
    kept = folder / "node_modules" / PACKAGE / "package.json"
    if kept.exists() and json.loads(kept.read_bytes())["version"] == VERSION and _built(folder):
        return
    say(f"Installing {PACKAGE} {VERSION} into {folder}: about three minutes.")
    folder.mkdir(parents=True, exist_ok=True)
    package = {"name": "parvis-peer-bluesky", "private": True, "dependencies": {PACKAGE: VERSION}}
    (folder / "package.json").write_text(json.dumps(package, indent=2) + "\n", "utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not _built(folder):
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise CannotInstall(f"npm could not install {PACKAGE}: {said[-1] if said else 'it said nothing'}")


def _built(folder: Path) -> bool:
    """Whether what is compiled on the spot is there: npm goes on without it where it may not run scripts."""
    return any((folder / "node_modules" / "better-sqlite3").glob("build/Release/better_sqlite3.node"))


@asynccontextmanager
async def network(folder: Path, place: Path) -> AsyncIterator[str]:
    """A new network in `place`, from the packages in `folder`; the address of its host (PDS)."""
    with temporary_servers(place / "servers") as urls:
        connection = await asyncpg.connect(urls.superuser)
        await connection.execute("CREATE DATABASE atproto")
        await connection.close()
        ports: list[int] = []
        for _ in range(5):
            ports.append(free_port(tuple(ports)))
        environment = {
            **os.environ,
            "DB_POSTGRES_URL": urls.superuser.rpartition("/")[0] + "/atproto",
            "REDIS_HOST": urlsplit(urls.redis).netloc.rpartition("@")[2],
            "NODE_ENV": "development",
            "LOG_ENABLED": "false",
            "NODE_NO_WARNINGS": "1",
        }
        node, log = shutil.which("node"), place / "network.log"
        assert node is not None
        argv = (node, str(_SCRIPT), str(folder / "node_modules"), ",".join(map(str, ports)))
        child = start(Program("bluesky", argv, place, log, environment=environment))
        try:
            await _ready(child, log)
            yield f"http://localhost:{ports[1]}"
        finally:
            end([(child, signal.SIGTERM)], grace=15)


async def _ready(child: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + _UP_SECONDS
    while "READY" not in tail(log):
        if child.poll() is not None or asyncio.get_running_loop().time() > deadline:
            raise RuntimeError(f"the Bluesky network did not start: {tail(log)[-500:]}")
        await asyncio.sleep(0.1)
