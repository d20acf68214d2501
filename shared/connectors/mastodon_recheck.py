"""Looking again at what is known by name: a status to fetch, what statuses show now, which are gone."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_hearing import GONE, SOURCE
from shared.connectors.mastodon_statuses import account_id, counted_of
from shared.connectors.reading import identifier
from shared.contract import Counted, Login, Pointer, RawArrival, read_json
from shared.errors import BadPayload, LoginDead, RateLimited, Refused, Unavailable

AT_ONCE = 20  # a request for more statuses at once is refused
_GONE = frozenset({404, 410})
# By these an instance says that it has no way to give several statuses at once (Mastodon before 4.3, GoToSocial).
_NOT_OFFERED = frozenset({400, 404, 405, 422, 501})


async def recheck(http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[RawArrival]:
    """What the instance shows of these statuses to the channel's account.

    What a list leaves out is asked for by itself. It is gone only where the instance says so of that one, knows us, and
    does not show it to anybody else: deletion is final, an address that answers 404 to everything proves nothing, and
    whoever blocks the account has taken nothing back.
    """
    found: list[RawArrival] = []
    believed = False
    for start in range(0, len(external_ids), AT_ONCE):
        asked = list(dict.fromkeys(external_ids[start : start + AT_ONCE]))
        listed = await _listed(http, login, asked)
        shown = _ids(listed)
        if listed is not None and shown:
            found.append(_arrival("recheck", listed.content))
        for external_id in asked:
            if external_id in shown:
                continue
            response = await _one(http, login, external_id)
            if response.status_code in _GONE:
                if not believed:
                    await _be_known(http, login)
                believed = True
                response = await _shown_to_anybody(http, login, external_id) or response
            found.append(_answered("recheck", response, external_id))
    return found


async def measure(http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
    """Counters now; what the instance does not show (any more) is left out."""
    counted: list[Counted] = []
    for start in range(0, len(external_ids), AT_ONCE):
        asked = list(dict.fromkeys(external_ids[start : start + AT_ONCE]))
        listed = await _listed(http, login, asked)
        answers = [listed] if listed is not None else [await _one(http, login, one) for one in asked]
        for answer in answers:
            now = datetime.now(UTC)
            for status in _statuses(answer):
                external_id = identifier(status.get("id"))
                one = counted_of(status, external_id, now) if external_id in asked else None
                counted += [one] if one is not None else []
    return counted


async def fetch(http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
    """A status by its id; by its address (`uri` or `url`) the instance looks for it, on other instances too."""
    if pointer.kind != "status":
        raise Refused(calls.NETWORK, f"only a status can be fetched, and this is “{pointer.kind[:40]}”")
    if not pointer.external_id.startswith(("https://", "http://")):
        response = await _one(http, login, pointer.external_id)
        if response.status_code in _GONE:
            await _be_known(http, login)
        return _answered("fetch", response, pointer.external_id)
    query = (("q", pointer.external_id), ("type", "statuses"), ("resolve", "true"), ("limit", "1"))
    response = await calls.get(http, login, "/api/v2/search", query)
    if response.status_code != 200:
        raise calls.failure(response)
    if not _statuses(response):
        raise Refused(calls.NETWORK, f"the instance finds no status at {pointer.external_id[:300]}")
    return _arrival("fetch", response.content)


async def _listed(http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> httpx.Response | None:
    """Several statuses in one answer; None where the instance does not offer it. Pleroma calls the ids `ids`.

    A list of others is no answer: there are servers on which the same address is somebody's timeline.
    """
    query = [(key, external_id) for key in ("id[]", "ids[]") for external_id in external_ids]
    response = await calls.get(http, login, "/api/v1/statuses", query)
    if response.status_code == 200:
        is_list = isinstance(calls.value_of(response), list)
        return response if is_list and _ids(response) <= set(external_ids) else None
    error = calls.failure(response)
    if response.status_code in _NOT_OFFERED and not isinstance(error, LoginDead | RateLimited):
        return None
    raise error


async def _one(http: httpx.AsyncClient, login: Login, external_id: str) -> httpx.Response:
    """The answer about one status: it, or that it is gone. Raises what any other answer stands for."""
    response = await calls.get(http, login, f"/api/v1/statuses/{quote(external_id, safe='')}")
    if response.status_code == 200:
        if not isinstance(calls.value_of(response), Mapping):
            raise Unavailable(calls.NETWORK, "the instance answered with something else than a status", unsent=True)
        return response
    # A proxy's page of HTML under a 404 is no word of the instance's about the status.
    if response.status_code in _GONE and isinstance(calls.value_of(response), Mapping):
        return response
    raise calls.failure(response)


async def _shown_to_anybody(http: httpx.AsyncClient, login: Login, external_id: str) -> httpx.Response | None:
    """The status as it stands for those who are not logged in; None where it does not, or they may not look."""
    path = f"/api/v1/statuses/{quote(external_id, safe='')}"
    response = await calls.get(http, login, path, as_anybody=True)
    if response.status_code == 429 or response.status_code >= 500:
        raise calls.failure(response)
    return response if external_id in _ids(response) else None


async def _be_known(http: httpx.AsyncClient, login: Login) -> None:
    """Raises where the instance does not know the channel's account: then its word about statuses is worth nothing."""
    account = await calls.read(http, login, "/api/v1/accounts/verify_credentials")
    known = identifier(account.get("id")) if isinstance(account, Mapping) else None
    if known != account_id(login.channel_external_id):
        reason = f"the token speaks for account {known or 'nobody'} and the channel is {login.channel_external_id}"
        raise Refused(calls.NETWORK, f"{reason}: what this instance says of statuses is not taken for the channel's")


def _answered(source: str, response: httpx.Response, external_id: str) -> RawArrival:
    return _arrival(source, response.content, external_id if response.status_code in _GONE else None)


def _arrival(source: str, body: bytes, gone: str | None = None) -> RawArrival:
    """Each look is an arrival of its own: counters go back to what they were, and the bytes with them."""
    now = datetime.now(UTC)
    named = f"{now.isoformat()} {gone or ''} ".encode("utf-8", "replace") + body
    headers = {SOURCE: source} if gone is None else {SOURCE: source, GONE: gone}
    return RawArrival(f"{source}:{hashlib.blake2b(named, digest_size=16).hexdigest()}", body, now, headers)


def _ids(response: httpx.Response | None) -> set[str]:
    return {found for status in _statuses(response) if (found := identifier(status.get("id"))) is not None}


def _statuses(response: httpx.Response | None) -> list[Mapping[str, object]]:
    try:
        value = read_json(response.content) if response is not None and response.status_code == 200 else None
    except BadPayload:
        return []
    if isinstance(value, Mapping):
        value = value.get("statuses", [value])
    return [status for status in value if isinstance(status, Mapping)] if isinstance(value, list) else []
