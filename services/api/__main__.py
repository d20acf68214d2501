"""`python -m services.api`: settings from the environment only."""

from services import traces
from services.api.app import create_app
from services.serving import run, serve
from shared import log
from shared.settings import Settings


async def _serve(settings: Settings) -> None:
    told = traces.open_traces("api")
    app = create_app(settings)
    try:
        await serve(app if told is None else told.answering(app), settings, settings.api_port, "api")
    finally:
        await traces.close(told)


def main() -> None:
    settings = Settings()
    log.set_up("api", settings.log_level)
    run(_serve(settings))


if __name__ == "__main__":
    main()
