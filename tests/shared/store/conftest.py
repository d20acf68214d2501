"""A folder and a bucket: the bucket is one of moto's, a real server that speaks S3."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.local.servers import free_port
from shared.settings import Settings
from shared.store import Store, open_store


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3, for this run."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while True:
            try:
                httpx.get(url, timeout=1, trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, "moto does not start"
                assert server.poll() is None, "moto ended"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def bucket_settings(s3: str, name: str, folder: Path) -> Settings:
    """Settings for a bucket of that name, which is made and empty."""
    httpx.delete(f"{s3}/{name}", trust_env=False)
    assert httpx.put(f"{s3}/{name}", trust_env=False).status_code == 200
    return Settings(
        data_dir=folder, media_url=f"s3://{name}/parvis/media", s3_endpoint=s3, s3_key="key", s3_secret="secret"
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind of store."""
    if request.param == "folder":
        return open_store(Settings(data_dir=tmp_path / "data"))
    s3 = request.getfixturevalue("s3")
    return open_store(bucket_settings(s3, f"bucket-{time.monotonic_ns()}", tmp_path))
