"""The records of an account's own repository: looked at, made under a key that is chosen, and deleted.

A record's key is made from the effect's seed, so that every try of an effect means the same record: what is there is
found by its key, and a second one can't be made. Asked to make it again, a host answers with a 500.
Source: the lexicons com.atproto.repo.*, and the real host's answers (0.4.217).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from shared.connectors.bluesky_posts import Thing
from shared.connectors.bluesky_xrpc import (
    NETWORK,
    Session,
    call,
    effect_failure,
    failure,
    query,
    room,
    value,
)
from shared.connectors.reading import name
from shared.contract import OutgoingEffect, Sent
from shared.errors import NetworkError, Refused, Unavailable, Uncertain, Unprepared

LIKE, BLOCK, GATE = "app.bsky.feed.like", "app.bsky.graph.block", "app.bsky.feed.threadgate"

# What writes cost of the 5,000 points an hour and 35,000 a day that an account has.
MAKING, CHANGING = 3, 2

_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_FIRST_TRY = timedelta(seconds=2)
_GET, _CREATE, _DELETE = (f"com.atproto.repo.{verb}Record" for verb in ("get", "create", "delete"))


def key(outgoing: OutgoingEffect) -> str:
    """The record key of an effect, the same at every try: a TID, 53 bits of microseconds and 10 of a clock's id.

    A UUIDv7 tells milliseconds; the microseconds, within a second of them, and the clock are thirty of its random bits.
    Raises Refused without a seed.
    """
    if not outgoing.seed:
        raise Refused(NETWORK, "an effect without a seed has no key of its own")
    at = (outgoing.seed >> 80) * 1000 + (outgoing.seed >> 10 & 0xFFFFF)
    told = (at & (1 << 53) - 1) << 10 | outgoing.seed & 0x3FF
    return "".join(_LETTERS[told >> shift & 31] for shift in range(60, -1, -5))


def own(here: Session, collection: str, rkey: str) -> Thing:
    """A record of the account's own."""
    return Thing(f"at://{here.did}/{collection}/{rkey}", here.did, collection, rkey)


def made_at(outgoing: OutgoingEffect) -> str:
    """When a record says that it was made: the moment that was meant, the same at every try."""
    at = outgoing.due_at or datetime.fromtimestamp((outgoing.seed >> 80) / 1000, UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def read(http: httpx.AsyncClient, here: Session, thing: Thing) -> Mapping[str, object] | None:
    """The record with its `cid` and `value`; None where its repository says that it has none."""
    asked = {"repo": thing.did, "collection": thing.collection, "rkey": thing.key}
    response = await query(http, here, _GET, asked)
    found = value(response)
    if response.status_code == 400 and found.get("error") == "RecordNotFound":
        return None
    if response.status_code != 200:
        raise failure(response, here.login)
    if not isinstance(found.get("value"), Mapping) or name(found.get("cid")) is None:
        raise Unavailable(NETWORK, "the answer holds no record", unsent=True)
    return found


async def find(http: httpx.AsyncClient, here: Session, wanted: Thing) -> Sent | None:
    """The record as what was sent, where it is there."""
    return None if await read(http, here, wanted) is None else Sent(wanted.uri, wanted.page)


async def make(
    http: httpx.AsyncClient, here: Session, wanted: Thing, record: Mapping[str, object], outgoing: OutgoingEffect
) -> Sent:
    """Make a record, once. A repeat looks first, and an answer that is no plain yes is not believed without a look.

    Raises Unprepared where a blob that it names is not there (any more).
    """
    if _is_repeat(outgoing) and (found := await find(http, here, wanted)) is not None:
        return found
    told = {"$type": wanted.collection, **record}
    response = await write(http, here, _CREATE, wanted, record=told)
    if response.status_code == 200 and value(response).get("uri") == wanted.uri:
        return Sent(wanted.uri, wanted.page, room(response, MAKING))
    error = _answered(response, here)
    if isinstance(error, Refused | Uncertain):
        stands = await _stands(http, here, wanted)
        if stands:
            return Sent(wanted.uri, wanted.page)
        if stands is None:
            raise Uncertain(NETWORK, error.message)
    if value(response).get("error") == "BlobNotFound":
        raise Unprepared(NETWORK, f"the host does not have what was uploaded (any more): {error.message}")
    raise error


async def delete(http: httpx.AsyncClient, here: Session, thing: Thing) -> None:
    """Delete a record of the account's own; one that is not there is deleted. Raises Refused for another's."""
    if thing.did != here.did:
        raise Refused(NETWORK, "this is somebody else's: an account can delete only what it made itself")
    response = await write(http, here, _DELETE, thing)
    if response.status_code == 200 and response.content.lstrip().startswith(b"{"):
        return
    error = _answered(response, here)
    if not isinstance(error, Refused | Uncertain):
        raise error
    stands = await _stands(http, here, thing)
    if stands is None:
        raise Uncertain(NETWORK, error.message)
    if stands:
        raise error


async def write(
    http: httpx.AsyncClient, here: Session, method: str, thing: Thing, **more: object
) -> httpx.Response:  # fmt: skip
    """Ask for a change of a record, whatever the status of the answer."""
    body = {"repo": here.did, "collection": thing.collection, "rkey": thing.key, **more}
    return await call(http, here, method, orjson.dumps(body))


def _is_repeat(outgoing: OutgoingEffect) -> bool:
    """Whether this may have been tried before: the first try comes in the moment in which it is begun."""
    first = outgoing.first_attempt_at
    return first is None or abs(datetime.now(UTC) - first) > _FIRST_TRY


def _answered(response: httpx.Response, here: Session) -> NetworkError:
    if response.status_code == 200:
        return Uncertain(NETWORK, "the host answered with something else than what it wrote")
    return effect_failure(response, here.login)


async def _stands(http: httpx.AsyncClient, here: Session, thing: Thing) -> bool | None:
    """Whether a record is there; None where the host does not tell."""
    try:
        return await read(http, here, thing) is not None
    except NetworkError:
        return None
