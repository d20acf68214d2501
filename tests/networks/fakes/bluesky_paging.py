"""Lists of a Bluesky network, a page at a time."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from tests.networks.fakes.bluesky_failure import Failure
from tests.networks.fakes.bluesky_people import Json


def page(items: list[Any], query: Any, at: Callable[[Any], datetime]) -> tuple[list[Any], Json]:
    """A page in the order of time, newest first; a cursor is the time of its last entry."""
    limit = int(query.get("limit", ["50"])[0])
    if not 1 <= limit <= 100:
        raise Failure(400, "InvalidRequest", "Error: limit can not be greater than 100")
    found = sorted(items, key=at, reverse=True)
    given = query.get("cursor", [""])[0]
    if given:
        before = None
        with suppress(ValueError):
            before = datetime.fromisoformat(given)
        if before is None:
            raise Failure(502, "InternalServerError", "Internal Server Error")
        found = [item for item in found if at(item) < before]
    page = found[:limit]
    return page, {"cursor": at(page[-1]).isoformat()} if page else {}
