"""What Bluesky's answers say: pages of notifications, lists and threads of posts, single records, and what is missing.

The same reading for what was polled, fetched, looked at again or walked back to. An arrival's headers say what was
asked, which some answers leave out.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from shared.connectors.bluesky_posts import Told, Unusable, Value, a_post, hear_post, time
from shared.connectors.reading import identifier, name
from shared.contract import Counted, Deleted, Heard, Parsed, Pointer, RawPart, Reacted, read_json
from shared.errors import BadPayload, Problem

# Headers that our own half gives its arrivals.
ASKED = "parvis-asked"  # the method
FRESH = "parvis-fresh"  # indexes of a page's items that were not brought before, with commas between them
FAILED = "parvis-failed"  # a sentence: why there is no answer
MISSING = "parvis-missing"  # the post that was asked for and not shown
OWNER = "parvis-owner"  # what its author's account is meanwhile, see `bluesky_recheck`

_SAID = frozenset({"mention", "reply", "quote"})
_REACTIONS = {"like": "like", "like-via-repost": "like", "repost": "repost", "repost-via-repost": "repost"}
_PASSED = {
    "follow": "somebody follows the account: nothing was said",
    "starterpack-joined": "somebody joined by a starter pack of the account: nothing was said",
    "verified": "somebody verified the account: nothing was said",
    "unverified": "somebody took a verification of the account back: nothing was said",
    "subscribed-post": "somebody whom the account watches posted something: not about the account",
    "contact-match": "somebody from the account's contacts is here: nothing was said",
}
_RECEIPTS = {
    "blob": "a file was taken: nothing was said",
    "commit": "something was written: nothing was said",
    "validationStatus": "something was written: nothing was said",
    "accessJwt": "a session: nothing was said",
    "didDoc": "who an account is and where it lives: nothing was said",
    "count": "a number of unread notifications: nothing was said",
}
_DEEPEST = 1000  # views of a thread


def read(part: RawPart) -> Parsed:
    """The facts of an answer. Raises BadPayload where nothing in it is usable."""
    failed = part.headers.get(FAILED)
    if failed is not None:
        raise BadPayload(failed)
    body = read_json(part.body)
    if not isinstance(body, Mapping):
        raise BadPayload("the answer is not an object")
    reading = _Reading(part)
    missing = part.headers.get(MISSING)
    if missing is not None:
        reading.missing(missing, body)
    else:
        _by_shape(reading, body)
    if not (reading.heard or reading.pointers or reading.ignored):
        raise BadPayload("nothing in it is usable" if reading.problems else "nothing in it", reading.problems)
    return Parsed(tuple(reading.heard), tuple(reading.pointers), tuple(reading.ignored), tuple(reading.problems))


def _by_shape(reading: "_Reading", body: Value) -> None:
    if isinstance(items := body.get("notifications"), list):
        reading.each("notifications", items, reading.notification)
    elif isinstance(items := body.get("posts"), list):
        reading.each("posts", items, reading.view)
    elif isinstance(items := body.get("feed"), list):
        reading.each("feed", items, reading.feed_item)
    elif isinstance(body.get("thread"), Mapping):
        reading.each("thread", _flat(body["thread"]), reading.thread_item)
    elif "uri" in body and "value" in body:
        reading.each("record", [body], reading.record)
    elif isinstance(body.get("error"), str):
        raise BadPayload(f"the network answered with the error {name(body['error'])}: {name(body.get('message'))}")
    else:
        reason = next((reason for field, reason in _RECEIPTS.items() if field in body), None)
        if reason is None:
            raise BadPayload("the answer holds neither notifications nor posts, a feed, a thread or a record")
        reading.ignored.append(reason)


def _flat(thread: object) -> list[object]:
    """Every view of a thread: parents, the post, answers."""
    found: list[object] = []
    waiting = [thread]
    while waiting and len(found) < _DEEPEST:
        view = waiting.pop()
        found.append(view)
        if isinstance(view, Mapping):
            replies = view.get("replies")
            waiting += reversed(replies) if isinstance(replies, list) else []
            waiting += [view["parent"]] if view.get("parent") is not None else []
    return found


class _Reading:
    """One answer being read: what was heard, what was passed over, and what was wrong."""

    def __init__(self, part: RawPart) -> None:
        self.part = part
        self.heard: list[Heard] = []
        self.pointers: list[Pointer] = []
        self.ignored: list[str] = []
        self.problems: list[Problem] = []

    def each(self, which: str, items: list[object], hear: Callable[[Value], Told]) -> None:
        """Every item by itself: a bad one takes no neighbour with it."""
        fresh = _indexes(self.part.headers.get(FRESH))
        known = 0
        for index, item in enumerate(items):
            if fresh is not None and index not in fresh:
                known += 1
                continue
            try:
                if not isinstance(item, Mapping):
                    raise Unusable("it is an object")  # noqa: TRY301 - one way for all that is unusable
                self._keep(hear(item))
            except Unusable as error:
                self.problems.append(Problem("unusable", error.message, (index, which, *error.path)))
        if known:
            self.ignored.append(f"{known} {which} that were brought before")
        if not items:
            self.ignored.append(f"an answer without {which}")

    def _keep(self, told: Told) -> None:
        for one in told:
            if isinstance(one, str):
                self.ignored.append(one)
            elif isinstance(one, Pointer):
                self.pointers.append(one)
            else:
                self.heard.append(one)

    # ------------------------------------------------------------ notifications

    def notification(self, item: Value) -> Told:
        reason = name(item.get("reason"))
        if reason is None:
            raise Unusable("a notification needs a reason", "reason")
        if reason in _SAID:
            return self._told_of(item)
        if reason in _REACTIONS:
            return self._reaction(item, _REACTIONS[reason])
        return [_PASSED.get(reason, f"{reason}: not known to this connector")]

    def _told_of(self, item: Value) -> Told:
        post = a_post(item.get("uri"))
        if post is None:
            raise Unusable("a notification of something said needs the at:// address of a post", "uri")
        record = item.get("record")
        if not isinstance(record, Mapping) or not isinstance(record.get("text"), str):
            return [Pointer(post.uri, "post")]
        told = hear_post(post, record, item.get("author"), item.get("indexedAt"), self.part)
        return [*told, *_labels(item.get("labels"))]

    def _reaction(self, item: Value, reaction: str) -> Told:
        """Reactions by way of a repost name that repost as their subject, and the post itself in their record."""
        record = item.get("record")
        subject = record.get("subject") if isinstance(record, Mapping) else None
        post = a_post(subject.get("uri")) if isinstance(subject, Mapping) else None
        post = post or a_post(item.get("reasonSubject"))
        if post is None:
            return [f"{reaction} of something that is no post"]
        who = item.get("author")
        actor = identifier(who.get("did")) if isinstance(who, Mapping) else None
        if actor is None:
            raise Unusable("a reaction needs its author", "author", "did")
        return [Reacted(post.uri, actor, reaction, True, _earlier(item.get("indexedAt"), self.part.stamp))]

    # ------------------------------------------------------------ posts

    def view(self, item: Value) -> Told:
        """A post as the network shows it: what it says, and how often it was answered."""
        post, record = a_post(item.get("uri")), item.get("record")
        if post is None:
            raise Unusable("a post needs its at:// address", "uri")
        if not isinstance(record, Mapping):
            raise Unusable("a post needs its record", "record")
        told = hear_post(post, record, item.get("author"), item.get("indexedAt"), self.part)
        counted = count(item, self.part.stamp)
        return [*told, *([] if counted is None else [counted]), *_labels(item.get("labels"))]

    def feed_item(self, item: Value) -> Told:
        view, reason = item.get("post"), item.get("reason")
        if isinstance(reason, Mapping) and reason.get("$type") == "app.bsky.feed.defs#reasonRepost":
            return ["the account passed on what somebody else said"]
        if not isinstance(view, Mapping):
            raise Unusable("an entry of a feed needs its post", "post")
        return self.view(view)

    def thread_item(self, item: Value) -> Told:
        kind, uri = item.get("$type"), name(item.get("uri")) or "a post without an address"
        if item.get("notFound") is True:
            return [f"{uri}: not shown, since it is gone or its author's account is away"]
        if item.get("blocked") is True:
            return [f"{uri}: kept from this account by a block"]
        if not isinstance(item.get("post"), Mapping):
            return [f"{name(kind) or 'a view without a type'}: not known to this connector"]
        return self.feed_item({"post": item["post"]})

    def record(self, item: Value) -> Told:
        """A record by itself, as its author's repository holds it."""
        record, uri = item.get("value"), identifier(item.get("uri"))
        if not isinstance(record, Mapping) or uri is None:
            raise Unusable("a record needs its address and its value", "value")
        post = a_post(uri)
        if post is not None:
            return hear_post(post, record, None, None, self.part)
        kind = name(record.get("$type")) or "unknown"
        reaction = {"app.bsky.feed.like": "like", "app.bsky.feed.repost": "repost"}.get(kind)
        if reaction is None:
            return [f"a record of {kind} is no post"]
        did = uri.removeprefix("at://").partition("/")[0]
        return self._reaction(
            {"author": {"did": did}, "record": record, "indexedAt": record.get("createdAt")}, reaction
        )

    # ------------------------------------------------------------ what is not shown any more

    def missing(self, uri: str, body: Value) -> None:
        """A post that was asked for and not shown, with what its author's repository answered about it."""
        owner = self.part.headers.get(OWNER, "unknown")
        if "value" in body:
            self.ignored.append(f"{uri}: still there, and kept from this account by a block or by moderation")
        elif body.get("error") == "RecordNotFound" or owner == "gone":
            self.heard.append(Deleted(uri, self.part.stamp))
        else:
            self.ignored.append(f"{uri}: not shown while its author's account is {owner}")


def _indexes(header: str | None) -> frozenset[int] | None:
    if header is None:
        return None
    return frozenset(int(number) for number in header.split(",") if number.isascii() and number.isdigit())


def _earlier(value: object, stamp: datetime) -> datetime:
    """When something happened, by the network; never later than it was fetched."""
    return min(time(value) or stamp, stamp)


def count(view: Value, stamp: datetime) -> Counted | None:
    """The counters of a view at `stamp`; quotes are shares with a word of one's own. None where there are none."""
    uri = a_post(view.get("uri"))
    likes, replies, reposts, quotes = (
        _number(view.get(field)) for field in ("likeCount", "replyCount", "repostCount", "quoteCount")
    )
    shares = None if reposts is None else reposts + (quotes or 0)
    if uri is None or (likes is None and replies is None and shares is None):
        return None
    return Counted(uri.uri, stamp, likes, replies, shares)


def _number(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _labels(labels: object) -> Iterable[str]:
    """Moderation's labels: what others think of a post, which is not what it says."""
    for label in labels if isinstance(labels, list) else []:
        if isinstance(label, Mapping) and (word := name(label.get("val"))) is not None:
            yield f"label “{word}” by {name(label.get('src')) or 'somebody'}: moderation, not something said"
