"""Who is on a fake Bluesky network and what they do there: they post, answer, like, edit, delete, block and leave."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

Json = dict[str, Any]
POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
BLOCK, GATE = "app.bsky.graph.block", "app.bsky.feed.threadgate"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Account:
    did: str
    handle: str
    password: str = "abcd-efgh-ijkl-mnop"
    name: str | None = None
    status: str = "active"  # active, deactivated, takendown
    blocks: set[str] = field(default_factory=set)
    preferences: Json = field(default_factory=dict)
    labels: list[Json] = field(default_factory=list)


@dataclass
class Record:
    uri: str
    cid: str
    value: Json
    at: datetime  # the order in lists

    @property
    def did(self) -> str:
        return self.uri.split("/")[2]

    @property
    def collection(self) -> str:
        return self.uri.split("/")[3]


class People:
    """The accounts, their records, and who was notified of what: whom, of which record, why, about which subject."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.records: dict[str, Record] = {}
        self.notifications: list[tuple[str, Record, str, str | None]] = []
        self.numbers: Iterator[int] = count(1)

    def join(self, handle: str, **more: Any) -> Account:
        made = Account(f"did:plc:{handle.split('.', maxsplit=1)[0]:a<24}"[:32], handle, **more)
        self.accounts[made.did] = made
        return made

    def write(
        self, who: Account, collection: str, value: Json, *, at: datetime | None = None, rkey: str | None = None
    ) -> Record:  # fmt: skip
        now, number = datetime.now(UTC), next(self.numbers)
        uri = f"at://{who.did}/{collection}/{rkey or f'3k{number:011d}'}"
        claimed = datetime.fromisoformat(value.setdefault("createdAt", iso(at or now)))
        made = Record(uri, f"bafyrei{number:052d}", {"$type": collection, **value}, min(claimed, now))
        self.records[uri] = made
        if collection == BLOCK:
            who.blocks.add(value["subject"])
        for whom, reason, subject in self._told(made):
            if whom != who.did:
                self.notifications.append((whom, made, reason, subject))
        return made

    def post(self, who: Account, text: str, *, mentioning: Account | None = None, **more: Any) -> Record:
        if mentioning is not None:
            start = len(f"{text} ".encode())
            text = f"{text} @{mentioning.handle}"
            index = {"byteStart": start, "byteEnd": len(text.encode())}
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": mentioning.did}
            more["facets"] = [{"index": index, "features": [feature]}]
        at = more.pop("at", None)
        return self.write(who, POST, {"text": text, **more}, at=at)

    def reply(self, who: Account, parent: Record, text: str, **more: Any) -> Record:
        root = parent.value.get("reply", {}).get("root") or _ref(parent)
        return self.post(who, text, reply={"root": root, "parent": _ref(parent)}, **more)

    def quote(self, who: Account, what: Record, text: str) -> Record:
        return self.post(who, text, embed={"$type": "app.bsky.embed.record", "record": _ref(what)})

    def like(self, who: Account, what: Record) -> Record:
        return self.write(who, LIKE, {"subject": _ref(what)})

    def repost(self, who: Account, what: Record) -> Record:
        return self.write(who, REPOST, {"subject": _ref(what)})

    def edit(self, what: Record, text: str) -> None:
        what.value["text"] = text
        what.cid = f"bafyrei{next(self.numbers):052d}"

    def delete(self, what: Record) -> None:
        self.records.pop(what.uri, None)
        if what.collection == BLOCK:
            self.accounts[what.did].blocks.discard(what.value["subject"])
        self.notifications = [told for told in self.notifications if told[1] is not what]

    def leave(self, who: Account) -> None:
        """Delete the account with all that it said."""
        for record in [record for record in self.records.values() if record.did == who.did]:
            self.delete(record)
        del self.accounts[who.did]

    def _told(self, made: Record) -> Iterator[tuple[str, str, str | None]]:
        """Who is notified of a record and why; each once, as on the real network."""
        value, told = made.value, set[str]()
        found: list[tuple[str, str, str | None]] = []
        for facet in value.get("facets", []):
            found += [(f["did"], "mention", None) for f in facet["features"] if f["$type"].endswith("#mention")]
        embedded = value.get("embed", {}).get("record", {}).get("uri")
        if embedded is not None:
            found.append((embedded.split("/")[2], "quote", embedded))
        parent = value.get("reply", {}).get("parent", {}).get("uri")
        if parent is not None:
            found.append((parent.split("/")[2], "reply", parent))
        if made.collection in {LIKE, REPOST}:
            subject = value["subject"]["uri"]
            found.append((subject.split("/")[2], made.collection.rpartition(".")[2], subject))
        if made.collection == "app.bsky.graph.follow":
            found.append((value["subject"], "follow", None))
        for whom, reason, subject in found:
            if whom not in told:
                told.add(whom)
                yield whom, reason, subject


def _ref(record: Record) -> Json:
    return {"uri": record.uri, "cid": record.cid}
