"""`python -m services.ingest`: the door on its port, until it is asked to stop."""

from services import serving, traces
from services.ingest.app import Ingest
from shared import log
from shared.settings import Settings


async def main() -> None:
    """Serve until SIGTERM or SIGINT; what was accepted by then is kept and answered."""
    settings = Settings()
    log.set_up("ingest", settings.log_level)
    [url] = serving.required(settings, "door_database_url")
    await serving.check_role(url, "door")
    told = traces.open_traces("door")
    app = Ingest(settings)
    heard = app if told is None else told.hearing(app)
    try:
        await serving.serve(heard, settings, settings.ingest_port, "ingest", proxy_headers=False)
    finally:
        await traces.close(told)


if __name__ == "__main__":
    serving.run(main())
