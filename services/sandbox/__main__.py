"""`python -m services.sandbox`: the practice network on its port, until it is asked to stop."""

import signal
import sys
from types import FrameType

import uvicorn

from services.sandbox.app import create_app
from services.sandbox.door import Door
from shared import log
from shared.settings import Settings


def base_url(host: str, port: int) -> str:
    """Where people find the network; an address that means every interface is shown as this machine."""
    place = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{place}]:{port}" if ":" in place and not place.startswith("[") else f"http://{place}:{port}"


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    """Serve until SIGTERM or SIGINT, then leave within seconds with status 0."""
    settings = Settings()
    log.set_up("sandbox", settings.log_level)
    # uvicorn raises the signal again once it has closed everything; by then it only means to leave.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    url = base_url(settings.host, settings.sandbox_port)

    def shut(seconds: float) -> None:
        door.shut(seconds)

    app = create_app(settings.data_dir / "sandbox" / "sandbox.db", url, shut=shut)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.sandbox_port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # Requests here are short; those that a fault keeps waiting are not worth waiting for.
        timeout_graceful_shutdown=max(1, min(3, int(settings.shutdown_seconds))),
    )
    door = Door(config)
    door.run()


if __name__ == "__main__":
    main()
