"""`python -m services.api`: settings from the environment only."""

from services.api.app import create_app
from services.serving import run, serve
from shared import log
from shared.settings import Settings


def main() -> None:
    settings = Settings()
    log.set_up("api", settings.log_level)
    run(serve(create_app(settings), settings, settings.api_port, "api"))


if __name__ == "__main__":
    main()
