"""PostGraphile as a process, where there is Node and a way to install it."""

import asyncio
import json
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import httpx

from services.local.servers import free_port
from tests.benchmarks.rig import Rig, Running

FOLDER = Path(__file__).parent / "references" / "postgraphile"
_INSTALL_SECONDS = 300


async def postgraphile(stack: AsyncExitStack, rig: Rig, app_url: str, brand: UUID) -> tuple[Running | None, str | None]:
    """PostGraphile on this database, ended with `stack`; else a sentence that says why there is none."""
    missing = await _install()
    if missing is not None:
        return None, missing
    port = free_port()
    running = await stack.enter_async_context(
        rig.process(
            "postgraphile",
            (str(shutil.which("node")), "server.mjs", str(port), str(brand)),
            environment={
                "DATABASE_URL": app_url,
                "NODE_ENV": "production",
                "GRAPHILE_ENV": "production",
                "HOME": str(rig.work),
            },
            port=port,
            ready=lambda: _answers(port),
            folder=FOLDER,
        )
    )
    return running, None


async def _answers(port: int) -> bool:
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ __typename }"})
    except httpx.TransportError:
        return False
    return answer.status_code == 200


async def _install() -> str | None:
    """Install what package.json pins, unless it is there; why it can't be, where it can't."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "PostGraphile was left out: there is no Node here (20 or newer, with npm)."
    wanted = json.loads((FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    if all(_installed(name) == version for name, version in wanted.items()):
        return None
    npm = await asyncio.create_subprocess_exec(
        "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error",
        cwd=FOLDER, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(npm.communicate(), _INSTALL_SECONDS)
    except TimeoutError:
        npm.kill()
        await npm.wait()
        return "PostGraphile was left out: npm did not install it in time."
    if npm.returncode:
        return f"PostGraphile was left out: npm could not install it ({said.decode(errors='replace').strip()[-200:]})."
    return None


def _installed(name: str) -> str | None:
    try:
        found = json.loads((FOLDER / "node_modules" / name / "package.json").read_text("utf-8"))
    except OSError:
        return None
    version: str = found["version"]
    return version
