"""Looking at posts again: what the network shows of them now, and what it means that one is not shown.

`getPosts` leaves out without a word what was deleted, what a block keeps from this account, and everything of an
account that is deactivated or suspended. Only a deletion is one, and it is final: so each missing post is asked for by
its record, which blocks do not hide, and where its author's repository is closed, they by their profile.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import httpx

from shared.connectors.bluesky_lists import digest
from shared.connectors.bluesky_posts import Thing, a_post
from shared.connectors.bluesky_views import ASKED, FAILED, MISSING, OWNER, count
from shared.connectors.bluesky_xrpc import NETWORK, Session, failure, query, read, session, too_large, value
from shared.contract import Counted, Login, Pointer, RawArrival
from shared.errors import LoginDead, Refused, Unavailable

AT_ONCE = 25  # addresses that getPosts takes

_POSTS, _RECORD = "app.bsky.feed.getPosts", "com.atproto.repo.getRecord"
_PROFILE, _THREAD = "app.bsky.actor.getProfile", "app.bsky.feed.getPostThread"
_AWAY = {"AccountDeactivated": "deactivated", "AccountTakedown": "taken down", "AccountSuspended": "suspended"}


async def recheck(http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[RawArrival]:
    """What is shown of these posts, and a word about each that is not. Ids that are no post's are left out."""
    here = session(login)
    owners: dict[str, str] = {}
    found: list[RawArrival] = []
    for posts in _in_pieces(external_ids):
        for group, response in await _shown(http, here, posts):
            if isinstance(response, Refused):
                found.append(_not_answered(group, response))
                continue
            found.append(_arrival(_POSTS, response))
            there = {view.get("uri") for view in _views(response)}
            found += [await _missing(http, here, post, owners) for post in group if post.uri not in there]
    return found


async def measure(http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
    """Counters now; what is not shown is left out."""
    here = session(login)
    found: list[Counted] = []
    for posts in _in_pieces(external_ids):
        for _, response in await _shown(http, here, posts):
            if not isinstance(response, Refused):
                now = datetime.now(UTC)
                found += [one for view in _views(response) if (one := count(view, now)) is not None]
    return found


async def fetch(http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
    """A post with its counters, or (kind `thread`) with what it answers and its answers."""
    here = session(login)
    post = a_post(pointer.external_id)
    if post is None:
        raise Refused(NETWORK, f"{pointer.external_id[:200]!r} is not the address of a post")
    if pointer.kind == "thread":
        return _arrival(_THREAD, await read(http, here, _THREAD, {"uri": post.uri, "depth": 6, "parentHeight": 80}))
    response = await read(http, here, _POSTS, {"uris": [post.uri]})
    if any(view.get("uri") == post.uri for view in _views(response)):
        return _arrival(_POSTS, response)
    return await _missing(http, here, post, {})


def _in_pieces(external_ids: Sequence[str]) -> Iterable[list[Thing]]:
    posts = [post for one in dict.fromkeys(external_ids) if (post := a_post(one)) is not None]
    for start in range(0, len(posts), AT_ONCE):
        yield posts[start : start + AT_ONCE]


async def _shown(
    http: httpx.AsyncClient, here: Session, posts: list[Thing]
) -> list[tuple[list[Thing], httpx.Response | Refused]]:
    """What the network shows of these. One address that it does not take, or whose post is very large, keeps its
    neighbours away with it: they are asked for in halves then."""
    try:
        response = await read(http, here, _POSTS, {"uris": [post.uri for post in posts]})
    except (Refused, Unavailable) as error:
        if isinstance(error, Unavailable) and (len(posts) == 1 or not too_large(error)):
            raise
        if len(posts) == 1:
            return [(posts, Refused(NETWORK, error.message))]
        half = len(posts) // 2
        return [*await _shown(http, here, posts[:half]), *await _shown(http, here, posts[half:])]
    if not isinstance(value(response).get("posts"), list):
        raise Unavailable(NETWORK, "the answer holds no list of posts", unsent=True)
    return [(posts, response)]


def _views(response: httpx.Response) -> list[dict[str, object]]:
    views = value(response).get("posts")
    return [view for view in (views if isinstance(views, list) else []) if isinstance(view, dict)]


async def _missing(http: httpx.AsyncClient, here: Session, post: Thing, owners: dict[str, str]) -> RawArrival:
    """What the author's repository says of a post that is not shown, and where it says nothing, what became of them."""
    asked = {"repo": post.did, "collection": post.collection, "rkey": post.key}
    response = await query(http, here, _RECORD, asked)
    error = value(response).get("error")
    headers = {MISSING: post.uri}
    if response.status_code != 200 and error != "RecordNotFound":
        found = failure(response, here.login)
        # Of a closed repository the network speaks as of a closed account: here it is the author's, not ours.
        if response.status_code != 400 or not isinstance(found, Refused | LoginDead):
            raise found
        headers[OWNER] = owners[post.did] = owners.get(post.did) or await _owner(http, here, post.did)
    elif response.status_code == 200 and "value" not in value(response):
        raise Unavailable(NETWORK, "the answer holds no record", unsent=True)
    return _arrival(_RECORD, response, **headers)


async def _owner(http: httpx.AsyncClient, here: Session, did: str) -> str:
    """What an account without a repository is: `gone` only where the network knows us, and not them."""
    response = await query(http, here, _PROFILE, {"actor": did})
    if response.status_code == 200:
        return "away"
    error = str(value(response).get("error"))
    if error in _AWAY:
        return _AWAY[error]
    found = failure(response, here.login)
    if not isinstance(found, Refused):
        raise found
    ours = await query(http, here, _PROFILE, {"actor": here.did})
    return "gone" if ours.status_code == 200 and value(ours).get("did") == here.did else "unknown"


def _arrival(method: str, response: httpx.Response, **headers: str) -> RawArrival:
    about = headers.get(MISSING, "") + headers.get(OWNER, "")
    key = f"{method.rpartition('.')[2]}:{digest(about.encode(), response.content)}"
    return RawArrival(key, response.content, datetime.now(UTC), {ASKED: method, **headers})


def _not_answered(posts: list[Thing], error: Refused) -> RawArrival:
    said = f"{posts[0].uri} was not looked at again: {error.message}"
    return RawArrival(f"failed:{digest(said.encode())}", b"", datetime.now(UTC), {ASKED: _POSTS, FAILED: said})
