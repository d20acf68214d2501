"""What an instance's answers say, told by their shape: pages of notifications, of statuses, of what holds statuses.

The connector's own headers come with what it polled and fetched: `source` is where a page is from; `note` stands over
an answer that was kept to say why a source was passed over; `gone` is the id of a status that is no longer there.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from shared.connectors.mastodon_statuses import Path, Told, Unusable, Value, account_id, author_of, hear_status
from shared.connectors.reading import identifier, name, rfc3339, words
from shared.contract import Deleted, Heard, Parsed, RawPart, Reacted, read_json, storable
from shared.errors import BadPayload, Problem

SOURCE, NOTE, GONE = "source", "note", "gone"

_SAID = frozenset({"mention", "status", "update", "quote", "quoted_update"})
_REACTIONS = frozenset({"favourite", "pleroma:emoji_reaction", "emoji_reaction", "reaction"})
_PASSED_OVER = {
    "follow": "somebody follows the account: nothing was said",
    "follow_request": "somebody asks to follow the account: nothing was said",
    "move": "somebody moved to another account: nothing was said",
    "poll": "a poll is over: its answers are in the status's counters",
    "admin.sign_up": "somebody signed up at the instance: for its moderators",
    "admin.report": "a report to the instance's moderators",
    "severed_relationships": "followers were lost because an instance was blocked",
    "moderation_warning": "the instance's moderators warned this account: read it there",
    "annual_report": "the instance's yearly summary for the account",
    "pleroma:chat_mention": "a chat message, which only Pleroma's own interface reads and answers",
    "pleroma:report": "a report to the instance's moderators",
}
# What else an instance answers with, by a field that only it has.
_NOT_SAID = {
    "scheduled_at": "a scheduled status: not said yet",
    "acct": "an account: nothing said",
    "followed_by": "how two accounts stand to each other: nothing said",
    "action_taken": "a report to the moderators",
    "votes_count": "a poll's counts by themselves",
    "detected_source_language": "a translation of what was said",
    "configuration": "the instance's description of itself",
    "source_url": "the instance's description of itself",
    "stats": "the instance's description of itself",
    "spoiler_text": "an earlier version or the source of a status, which does not say of which",
    "content": "a text of the instance's own",
}


def hear(part: RawPart) -> Parsed:
    """The facts of an answer. Raises BadPayload where nothing in it is usable."""
    headers = part.headers
    if headers.get(NOTE):
        return Parsed(ignored=(headers[NOTE],))
    if headers.get(GONE):
        return Parsed((Deleted(headers[GONE], part.stamp),))
    reading = _Reading(part)
    reading.value(read_json(part.body))
    return reading.parsed()


class _Reading:
    """One answer being read."""

    def __init__(self, part: RawPart) -> None:
        self._part, self._own = part, account_id(part.channel_external_id)
        self._heard: dict[Heard, None] = {}  # eighty favourites bring the same status eighty times
        self._ignored: list[str] = []
        self._problems: list[Problem] = []

    def parsed(self) -> Parsed:
        if not self._heard and not self._ignored:
            raise BadPayload("nothing in it is usable", self._problems)
        return Parsed(tuple(self._heard), (), tuple(self._ignored), tuple(self._problems))

    def value(self, value: object) -> None:
        if isinstance(value, list):
            self._list(value, ())
        elif not isinstance(value, Mapping):
            raise BadPayload("the body is neither an object nor a list")
        elif isinstance(value.get("notification_groups"), list):
            statuses = _by_id(value.get("statuses"))
            for index, group in enumerate(value["notification_groups"]):
                for notification in _ungrouped(group, statuses):
                    self._one(self._notification, notification, ("notification_groups", index))
        elif any(isinstance(value.get(key), list) for key in ("statuses", "ancestors", "descendants")):
            for key in ("statuses", "ancestors", "descendants"):
                self._list(value.get(key), (key,))
        else:
            self._one(self._item, value, ())
        if not self._heard and not self._ignored and not self._problems:
            self._ignored.append("an empty page: nothing new")

    def _list(self, items: object, path: Path) -> None:
        for index, item in enumerate(items if isinstance(items, list) else []):
            self._one(self._item, item, (*path, index))

    def _one(self, read: Callable[[object], Told], item: object, path: Path) -> None:
        try:
            told = read(item)
        except Unusable as error:
            self._problems.append(Problem("unusable", error.message, (*path, *error.path)))
            return
        self._heard |= dict.fromkeys(told.heard)
        self._ignored += told.ignored
        self._problems += [Problem(p.code, p.message, (*path, *p.path)) for p in told.problems]

    # ---------------------------------------------------------------- one thing

    def _item(self, item: object) -> Told:
        if isinstance(item, str):
            return Told(ignored=[f"“{item[:60]}”: a name, nothing said"])
        if not isinstance(item, Mapping):
            raise Unusable("an item is an object")
        if "content" not in item and isinstance(item.get("type"), str) and "created_at" in item:
            return self._notification(item)
        if "last_status" in item:
            last = item["last_status"]
            return Told(ignored=["a conversation whose last message is gone"]) if last is None else self._status(last)
        if "visibility" in item or ("content" in item and "account" in item and "id" in item):
            return self._status(item)
        if isinstance(item.get("error"), str):
            return Told(ignored=[f"the instance answered with an error: {storable(item['error'][:200])}"])
        known = next((reason for key, reason in _NOT_SAID.items() if key in item), None)
        return Told(ignored=[known or (f"not a status: it has {_named(item)}" if item else "an empty answer")])

    def _status(self, status: object) -> Told:
        return hear_status(status, self._own, self._part.stamp)

    def _notification(self, notification: object) -> Told:
        """A status is heard by whatever notification it comes; a favourite is a reaction to it as well."""
        if not isinstance(notification, Mapping):
            raise Unusable("a notification is an object")
        which = words(notification.get("type")) or ""
        if which not in _SAID | _REACTIONS | {"reblog"}:
            reason = _PASSED_OVER.get(which, "not known to this connector")
            return Told(ignored=[f"notification {which[:60] or 'without a type'}: {reason}"])
        status = notification.get("status")
        if status is None:
            return Told(ignored=[f"notification {which}: its status is gone"])
        told = _at("status", self._status, status)
        if which in _REACTIONS:
            told.heard += self._reacted(notification, status)
        elif which == "reblog":
            told.ignored.append("notification reblog: the status's counter of shares tells it")
        return told

    def _reacted(self, notification: Value, status: object) -> Iterator[Reacted]:
        external_id = identifier(status.get("id")) if isinstance(status, Mapping) else None
        author, _ = author_of(notification.get("account"), self._own)
        if external_id is not None:
            actor = author.external_id if author else "unknown"
            yield Reacted(external_id, actor, _reaction(notification), True, self._moment(notification))

    def _moment(self, notification: Value) -> datetime:
        given = notification.get("created_at")
        try:
            return rfc3339(storable(given)) if isinstance(given, str) else self._part.stamp
        except ValueError:
            return self._part.stamp


def _at(place: str, read: Callable[[object], Told], value: object) -> Told:
    """Read what stands at a place; what is wrong in it is said to be there."""
    try:
        told = read(value)
    except Unusable as error:
        raise Unusable(error.message, place, *error.path) from None
    told.problems = [Problem(p.code, p.message, (place, *p.path)) for p in told.problems]
    return told


def _reaction(notification: Value) -> str:
    """`favourite`, or the emoji where the network has reactions by emoji."""
    if notification.get("type") == "favourite":
        return "favourite"
    given = notification.get("reaction")
    named = given.get("name") if isinstance(given, Mapping) else None
    return (name(notification.get("emoji")) or name(named) or "reaction")[:100]


def _by_id(statuses: object) -> dict[str, Value]:
    found = {}
    for status in statuses if isinstance(statuses, list) else []:
        external_id = identifier(status.get("id")) if isinstance(status, Mapping) else None
        if external_id is not None:
            found[external_id] = status
    return found


def _ungrouped(group: object, statuses: Mapping[str, Value]) -> Iterator[object]:
    """A group of notifications (the second version of the interface) as notifications of the first."""
    if not isinstance(group, Mapping):
        yield group
        return
    actors = group.get("sample_account_ids")
    for actor in actors if isinstance(actors, list) and actors else [None]:
        yield {
            "type": group.get("type"),
            "created_at": group.get("latest_page_notification_at"),
            "status": statuses.get(identifier(group.get("status_id")) or ""),
            "account": {"id": actor},
        }


def _named(item: Value) -> str:
    return ", ".join(storable(str(key))[:40] for key in list(item)[:4])
