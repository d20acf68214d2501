"""A whole house as a process of its own, with small real programs in the place of the services."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.local.processes import is_alive
from services.local.servers import free_port

_WEB = """
import http.server, os, pathlib
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["PARVIS_SECRET_KEYS"].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PARVIS_API_PORT"])), Answer).serve_forever()
"""
_LOOP = "import time\nwhile True: time.sleep(60)\n"
_BROKEN = "raise SystemExit('the broken one says why')\n"
_RUN = """
import asyncio, sys
from services import cli
from services.local import house
from services.local.plan import Service
from shared.settings import Settings
known = {"api": Service("api", "a_web_service", "api_port"), "loop": Service("scheduler", "a_loop"),
         "broken": Service("sandbox", "a_broken_one")}
table = tuple(known[name] for name in sys.argv[1:])
cli.report(lambda: asyncio.run(house.up(Settings(), table)))
"""


def until(done: Callable[[], bool], seconds: float) -> float:
    """How long it took until `done`; fails after `seconds`."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


@dataclass
class HouseProcess:
    """`up` on `folder`, with its output in `said`."""

    folder: Path
    port: int = field(default_factory=free_port)
    unused: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, *services: str, **environment: str) -> "HouseProcess":
        modules = self.folder.parent / "modules"
        modules.mkdir(exist_ok=True)
        for name, text in {"a_web_service": _WEB, "a_loop": _LOOP, "a_broken_one": _BROKEN, "run_it": _RUN}.items():
            (modules / f"{name}.py").write_text(text)
        ours = ("PARVIS_", "DATABASE_URL", "REDIS_URL")
        told = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        told |= {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(modules), os.environ.get("PYTHONPATH")))),
            "PARVIS_DATA_DIR": str(self.folder),
            "PARVIS_API_PORT": str(self.port),
            "PARVIS_INGEST_PORT": str(self.unused),
            "PARVIS_SANDBOX_PORT": str(self.unused),
            "PARVIS_EXAMPLE": "0",
            **environment,
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "run_it", *services], env=told, stdout=log, stderr=log
            )
        return self

    @property
    def _log(self) -> Path:
        return self.folder.parent / "said.log"

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def local(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "local.json").read_text())
        return found

    @property
    def pids(self) -> dict[str, int]:
        return {name: pid for name, pid in self.local["pids"].items() if pid is not None}

    def ready(self) -> "HouseProcess":
        assert self.process is not None
        process = self.process
        until(lambda: (self.folder / "local.json").exists() or process.poll() is not None, 60)
        assert process.poll() is None, self.said
        return self

    def kill(self, name: str) -> int:
        """Kill one child; its process id was this."""
        pid = self.pids[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def restarted(self, name: str, before: int) -> bool:
        return self.pids[name] != before and is_alive(self.pids[name])

    def stop(self) -> int:
        """End `up` as Ctrl-C does; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)
