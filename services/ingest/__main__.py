"""`python -m services.ingest`: the door on its port, until it is asked to stop."""

from functools import partial

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
    try:
        if told is None:
            serve = partial(serving.serve, app, connection=app.connection)
        else:  # each delivery is told of by what stands around the app
            serve = partial(serving.serve, told.hearing(app))
        await serve(settings, settings.ingest_port, "ingest", proxy_headers=False)
    finally:
        await traces.close(told)


if __name__ == "__main__":
    serving.run(main())
