"""Meta's webhooks, the same for every network behind them: handshake, signature, routing, and the envelope."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

import orjson

from shared.connectors.meta_events import Entry, Told, Unusable
from shared.connectors.meta_messages import hear_message
from shared.connectors.reading import identifier, unix_time
from shared.contract import Answer, Heard, Parsed, Part, Pointer, RawPart, RawRequest, Secret, read_json
from shared.errors import BadPayload, BadSignature, Problem

_EVENT_LISTS = ("changes", "messaging", "standby")

HearChange = Callable[[Entry, str, object], Told]


def _digest(app_secret: str, body: bytes) -> bytes:
    return hmac.digest(app_secret.encode(), body, "sha256").hex().encode()


def signature(app_secret: str, body: bytes) -> str:
    """The X-Hub-Signature-256 header that Meta puts over these bytes."""
    return f"sha256={_digest(app_secret, body).decode()}"


def handshake(request: RawRequest, secret: Secret) -> Answer | None:
    """Meta asks with `hub.mode=subscribe` and wants the bare challenge back."""
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    given = request.query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    wanted = (secret.verify_token or "").encode()
    if request.query["hub.mode"] != "subscribe" or not wanted or not hmac.compare_digest(given, wanted):
        return Answer(403, b"the verify token is wrong")
    return Answer(200, request.query.get("hub.challenge", "").encode("utf-8", "replace"))


def verify(request: RawRequest, secret: Secret) -> None:
    """Check the signature: Meta signs the raw body by the app secret, and no time. Raises BadSignature."""
    given = request.headers.get("x-hub-signature-256", "")
    if not given.startswith("sha256="):
        raise BadSignature("X-Hub-Signature-256 is required")
    signed = given[7:].lower().encode("utf-8", "surrogatepass")
    for key in secret.keys:
        if hmac.compare_digest(_digest(key, request.body), signed):
            return
    raise BadSignature("the signature does not fit")


def key(request: RawRequest) -> str:
    """The body's digest: Meta gives a delivery no id, and repeats it byte for byte."""
    return hashlib.sha256(request.body).hexdigest()


def entries(body: bytes, kind: str) -> list[object]:
    """The entries of a delivery whose `object` is `kind`. Raises BadPayload."""
    envelope = read_json(body)
    if not isinstance(envelope, dict):
        raise BadPayload("the body is not an object")
    if envelope.get("object") != kind:
        raise BadPayload(f"object is {str(envelope.get('object'))[:40]!r}, not {kind!r}")
    found = envelope.get("entry")
    if not isinstance(found, list) or not found:
        raise BadPayload("entry is not a list with something in it")
    return found


def route(found: list[object], kind: str) -> list[Part]:
    """One part a page or account; entries without a usable id stay together under none, to be kept as unattributed."""
    by_id: dict[str, list[object]] = {}
    for entry in found:
        external_id = identifier(entry.get("id")) if isinstance(entry, Mapping) else None
        by_id.setdefault(external_id or "", []).append(entry)
    return [Part(one, canonical({"object": kind, "entry": listed})) for one, listed in by_id.items()]


def read(found: list[object], part: RawPart, hear: HearChange, message_fields: frozenset[str]) -> Parsed:
    """The facts of these entries. Changes of `message_fields` hold a message's event. Raises BadPayload."""
    reading = _Reading(part, hear, message_fields)
    for index, entry in enumerate(found):
        reading.entry(index, entry)
    return reading.parsed()


def canonical(value: object) -> bytes:
    """JSON that does not depend on the order of keys. Raises BadPayload."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        pass
    # Lone surrogates, integers beyond 64 bits and deep nesting are more than the fast writer takes.
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except RecursionError:
        raise BadPayload("the body is nested too deeply") from None


class Tally:
    """What is being read: what was heard, what was only named or passed over, and what was wrong."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.pointers: list[Pointer] = []
        self.ignored: list[str] = []
        self.problems: list[Problem] = []

    def add(self, told: Told) -> None:
        for one in told:
            if isinstance(one, str):
                self.ignored.append(one)
            elif isinstance(one, Pointer):
                self.pointers.append(one)
            else:
                self.heard.append(one)

    def wrong(self, message: str, *path: str | int) -> None:
        self.problems.append(Problem("unusable", message, path))

    def parsed(self) -> Parsed:
        """All of it. Raises BadPayload where nothing is usable."""
        if not self.heard and not self.pointers and not self.ignored:
            raise BadPayload("nothing in it is usable" if self.problems else "nothing in it", self.problems)
        return Parsed(tuple(self.heard), tuple(self.pointers), tuple(self.ignored), tuple(self.problems))


class _Reading(Tally):
    """One delivery being read."""

    def __init__(self, part: RawPart, hear: HearChange, message_fields: frozenset[str]) -> None:
        super().__init__()
        self._part, self._hear, self._message_fields = part, hear, message_fields

    def entry(self, index: int, entry: object) -> None:
        if not isinstance(entry, Mapping):
            self.wrong("an entry is an object", "entry", index)
            return
        own = frozenset(known for known in (identifier(entry.get("id")), self._part.channel_external_id) if known)
        place = Entry(own, unix_time(entry.get("time")) or self._part.stamp)
        present = [which for which in _EVENT_LISTS if entry.get(which) is not None]
        for which in present:
            self._events(place, which, entry[which], index)
        if isinstance(entry.get("field"), str):  # one change, without a list around it
            self._take(place, self._change, entry, "entry", index)
        elif not present and entry.get("changed_fields"):
            self.ignored.append("changed_fields: names without values; subscribe with include_values")
        elif not present:
            self.wrong("an entry holds changes, messaging or standby", "entry", index)

    def _events(self, place: Entry, which: str, events: object, index: int) -> None:
        if not isinstance(events, list):
            self.wrong(f"{which} is a list", "entry", index, which)
            return
        hear = self._change if which == "changes" else hear_message
        for number, event in enumerate(events):
            self._take(place, hear, event, "entry", index, which, number)

    def _take(self, place: Entry, hear: Callable[[Entry, object], Told], event: object, *path: str | int) -> None:
        try:
            self.add(hear(place, event))
        except Unusable as error:
            self.wrong(error.message, *path, *error.path)

    def _change(self, place: Entry, change: object) -> Told:
        if not isinstance(change, Mapping):
            raise Unusable("a change is an object")
        field = change.get("field")
        if not isinstance(field, str) or not field:
            raise Unusable("a change needs a field", "field")
        if field in self._message_fields:
            return hear_message(place, change.get("value"))
        return self._hear(place, field, change.get("value"))
