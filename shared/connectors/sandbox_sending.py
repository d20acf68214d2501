"""Effects on the practice network: saying something, and acting on what is there."""

from datetime import timedelta
from urllib.parse import quote

import httpx
import orjson

from shared.connectors import outcome
from shared.connectors.reading import identifier, web_address
from shared.connectors.sandbox_calls import age, answer, bearer, place, posted, room, send_failure
from shared.contract import Certainty, Login, OutgoingEffect, Sent
from shared.errors import Refused, Uncertain
from shared.models.enums import OutgoingKind

# Later than this after the first attempt, a send is a repeat and looks first.
REPEATS_AFTER = timedelta(seconds=0.25)

# What is done to something that is there, and may be done again: the call, and what stands at its end.
_DEEDS = {
    OutgoingKind.HIDE: ("PUT", "posts/{}/hidden"),
    OutgoingKind.UNHIDE: ("DELETE", "posts/{}/hidden"),
    OutgoingKind.DELETE: ("DELETE", "posts/{}"),
    OutgoingKind.LIKE: ("PUT", "posts/{}/like"),
    OutgoingKind.UNLIKE: ("DELETE", "posts/{}/like"),
    OutgoingKind.BLOCK: ("PUT", "blocked/{}"),
    OutgoingKind.UNBLOCK: ("DELETE", "blocked/{}"),
}
_SAYING = (OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART, OutgoingKind.REPLY)
EFFECTS = {**dict.fromkeys(_SAYING, Certainty.LOOKED_UP), **dict.fromkeys(_DEEDS, Certainty.REPEATED)}


async def say(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Post it, beneath something where it has a parent. The network is not idempotent: a repeat looks first."""
    if age(outgoing) > REPEATS_AFTER:
        found = await posted(http, login, outgoing)
        if found is not None:
            return found
    post: dict[str, object] = {
        "text": outgoing.text,
        "media": [{"url": item.url, "kind": item.kind, "alt": item.alt} for item in outgoing.media],
        "parent_id": outgoing.parent_external_id or (outgoing.target and outgoing.target.external_id),
        "client_id": outgoing.id,
    }
    if outgoing.audience is not None:
        post["audience"] = outgoing.audience
    response = await outcome.act(
        http,
        "sandbox",
        "POST",
        place(login, "posts"),
        headers={**bearer(login), "content-type": "application/json"},
        content=orjson.dumps(post),
    )
    if not response.is_success:
        raise send_failure(response)
    sent = answer(response)
    external_id = identifier(sent.get("id"))
    if external_id is None:
        raise Uncertain("sandbox", "the network took the post and gave no id for it")
    return Sent(external_id, web_address(sent.get("url")), room(response))


async def act(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Do something to what is there. What is so already is no change there, so it may be done again."""
    if outgoing.target is None:
        raise Refused("sandbox", f"to {outgoing.kind.value} needs something to do it to")
    method, path = _DEEDS[outgoing.kind]
    external_id = outgoing.target.external_id
    where = place(login, path.format(quote(external_id, safe="")))
    response = await outcome.act(http, "sandbox", method, where, headers=bearer(login))
    if not response.is_success:
        raise send_failure(response)
    if response.status_code != 204 and identifier(answer(response).get("id")) != external_id:
        raise Uncertain("sandbox", "the network's answer does not say what it did")
    return Sent(external_id, web_address(answer(response).get("url")), room(response))
