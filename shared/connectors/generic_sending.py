"""Effects on a partner's endpoint: one signed JSON request each, and what the partner answers."""

from datetime import UTC, datetime

import httpx
import orjson

from shared.connectors import outcome, standard_webhooks
from shared.connectors.reading import identifier, web_address
from shared.contract import Certainty, Login, OutgoingEffect, Sent, read_json
from shared.errors import BadPayload, Refused
from shared.models.enums import OutgoingKind

LONGEST_ID_BYTES = 1000  # of a post of ours: its id is indexed

# Statuses by which a receiver certainly did not take the post. 400 and 409 are looked up: both are also given to a
# second delivery of what the first one did.
_REFUSED = frozenset({403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 501})

# What is done to something that is there: the request's type, and what it names the thing by.
_DEEDS = {
    OutgoingKind.HIDE: ("mention.hide", "mention"),
    OutgoingKind.UNHIDE: ("mention.unhide", "mention"),
    OutgoingKind.DELETE: ("mention.delete", "mention"),
    OutgoingKind.LIKE: ("mention.like", "mention"),
    OutgoingKind.UNLIKE: ("mention.unlike", "mention"),
    OutgoingKind.BLOCK: ("identity.block", "identity"),
    OutgoingKind.UNBLOCK: ("identity.unblock", "identity"),
}
EFFECTS = dict.fromkeys(OutgoingKind, Certainty.LOOKED_UP)


async def send(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Ask the partner for it, by our id, which is how it knows a repeat."""
    url, secret = receiver(login)
    body = orjson.dumps(_request(outgoing))
    headers = _signed(secret, outgoing.id, body)
    response = await outcome.act(http, "generic", "POST", url, headers=headers, content=body)
    if response.is_success:
        return sent(response, outgoing)
    raise outcome.failure("generic", response, _REFUSED)


async def look_up(http: httpx.AsyncClient, login: Login, outgoing_id: str) -> httpx.Response:
    """Ask the partner what became of our id."""
    url, secret = receiver(login)
    try:
        base = httpx.URL(url)
        place = str(base.copy_with(path=f"{base.path.rstrip('/')}/{outgoing_id}"))
    except httpx.InvalidURL as error:
        raise Refused("generic", f"this is not an address: {error}") from None
    return await outcome.ask(http, "generic", place, headers=_signed(secret, outgoing_id, b""))


def receiver(login: Login) -> tuple[str, str]:
    """The partner's address and the secret that we share. Raises Refused."""
    url, secret = login.credentials.get("url"), login.credentials.get("secret")
    if not url or not secret:
        raise Refused("generic", "this channel only hears: to publish it needs the credentials “url” and “secret”")
    return url, secret


def sent(response: httpx.Response, outgoing: OutgoingEffect) -> Sent:
    """What the receiver calls it. Where it does not say: what was acted on, and a post is live under our own id."""
    ours = outgoing.target.external_id if outgoing.kind in _DEEDS and outgoing.target else outgoing.id
    try:
        answer = read_json(response.content)
    except BadPayload:
        answer = None
    if not isinstance(answer, dict):
        return Sent(ours)
    external_id = identifier(answer.get("id"))
    if external_id is None or len(external_id.encode()) > LONGEST_ID_BYTES:
        external_id = ours
    return Sent(external_id, web_address(answer.get("url")))


def _request(outgoing: OutgoingEffect) -> dict[str, object]:
    target = outgoing.target
    if outgoing.kind in _DEEDS:
        if target is None:
            raise Refused("generic", f"to {outgoing.kind.value} needs something to do it to")
        name, noun = _DEEDS[outgoing.kind]
        undone = {} if outgoing.undoes is None else {"undoes": outgoing.undoes}
        return {"type": name, noun: {"id": target.external_id}, **undone}
    post = {
        # What hangs beneath a post is a post of its own to the receiver.
        "id": outgoing.thing_id if outgoing.kind is OutgoingKind.PUBLISH else outgoing.id,
        "text": outgoing.text,
        "media": [{"url": item.url, "kind": item.kind, "alt": item.alt} for item in outgoing.media],
        "parent_id": outgoing.parent_external_id or (target and target.external_id),
    }
    return {"type": "post.publish", "post": post}


def _signed(secret: str, message_id: str, body: bytes) -> dict[str, str]:
    try:
        return standard_webhooks.sign(secret, message_id, body, datetime.now(UTC))
    except ValueError:
        raise Refused("generic", "the credential “secret” is not whsec_ followed by base64") from None
