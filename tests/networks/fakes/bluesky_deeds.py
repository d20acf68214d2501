"""What accounts write on a Bluesky network: records under keys of their own choice, changed on a condition, and blobs.

Seen on the real host (0.4.217): a key that is taken is a 500; what is put as it is already makes no commit; a condition
that does not hold is a 400 `InvalidSwap`; deleting what is not there is done.
"""

import hashlib
import time
from typing import Any

import regex

from tests.networks.fakes.bluesky_failure import Failure
from tests.networks.fakes.bluesky_people import BLOCK, GATE, LIKE, POST, Account, Json, People, Record

POINTS = {"createRecord": 3, "putRecord": 2, "deleteRecord": 1}
_NO_SUCH = object()


class Deeds(People):
    """`blobs` are the uploads, by their content id, with their size. `points`: how much more an account may write."""

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, int] = {}
        self.points: int | None = None
        self.most_blob = 5_000_000

    def create(self, who: Account, body: Json) -> Json:
        collection, rkey, value = body["collection"], body.get("rkey"), body["record"]
        self._check(collection, value)
        if rkey is not None and f"at://{who.did}/{collection}/{rkey}" in self.records:
            raise Failure(500, "InternalServerError", "Internal Server Error")
        made = self.write(who, collection, value, rkey=rkey)
        return {"uri": made.uri, "cid": made.cid, "commit": {"cid": made.cid, "rev": "3k"}, "validationStatus": "valid"}

    def put(self, who: Account, body: Json) -> Json:
        collection, rkey, value = body["collection"], body["rkey"], body["record"]
        self._check(collection, value)
        current = self.records.get(f"at://{who.did}/{collection}/{rkey}")
        if current is not None and current.value == value:
            return {"uri": current.uri, "cid": current.cid, "validationStatus": "valid"}
        self._swap(body.get("swapRecord", _NO_SUCH), current)
        if current is None:
            made = self.write(who, collection, value, rkey=rkey)
        else:
            current.value, current.cid = value, f"bafyrei{next(self.numbers):052d}"
            made = current
        return {"uri": made.uri, "cid": made.cid, "validationStatus": "valid"}

    def remove(self, who: Account, body: Json) -> Json:
        found = self.records.get(f"at://{who.did}/{body['collection']}/{body['rkey']}")
        if found is not None:
            self.delete(found)
        return {}

    def blob(self, raw: bytes, kind: str) -> Json:
        if len(raw) > self.most_blob:
            raise Failure(413, "PayloadTooLarge", "request entity too large")
        cid = f"bafkrei{hashlib.sha256(raw).hexdigest()[:52]}"
        self.blobs[cid] = len(raw)
        return {"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": kind, "size": len(raw)}}

    def hidden(self, uri: str) -> bool:
        """Whether the gate of any thread hides this post."""
        gates = [record for record in self.records.values() if record.collection == GATE]
        return any(uri in gate.value.get("hiddenReplies", []) for gate in gates)

    def viewing(self, viewer: Account, collection: str, subject: str) -> str | None:
        """The record by which an account likes a post or blocks somebody."""
        for record in self.records.values():
            if record.did == viewer.did and record.collection == collection:
                told = record.value["subject"]
                if subject == (told["uri"] if collection == LIKE else told):
                    return record.uri
        return None

    def spent(self, method: str) -> dict[str, str]:
        """The headers that tell how much more the account may write."""
        if self.points is None or method not in POINTS:
            return {}
        self.points = max(0, self.points - POINTS[method])
        return {"ratelimit-limit": "5000", "ratelimit-remaining": str(self.points),
                "ratelimit-reset": str(int(time.time()) + 600), "ratelimit-policy": "5000;w=3600"}  # fmt: skip

    def _swap(self, wanted: Any, current: Record | None) -> None:
        if wanted is not _NO_SUCH and wanted != (current.cid if current is not None else None):
            raise Failure(400, "InvalidSwap", f"Record was at {current.cid if current is not None else None}")

    def _check(self, collection: str, value: Json) -> None:
        """What the lexicons ask of a record."""
        if value.get("$type") != collection or "createdAt" not in value:
            raise Failure(400, "InvalidRequest", f"Invalid {collection} record: Record must have the property")
        if collection == BLOCK and not str(value["subject"]).startswith("did:"):
            raise Failure(400, "InvalidRequest", "Invalid app.bsky.graph.block record: Record/subject must be a did")
        if collection == POST:
            self._check_post(value)

    def _check_post(self, value: Json) -> None:
        text = value["text"]
        if len(text.encode()) > 3_000:
            raise _invalid(f"must not be longer than 3000 bytes, got {len(text.encode())}")
        if (graphemes := len(regex.findall(r"\X", text))) > 300:
            raise _invalid(f"grapheme too big (maximum 300, got {graphemes})")
        for one in value.get("reply", {}).values():
            if not one.get("uri") or not one.get("cid"):
                raise _invalid("Record/reply must have the property cid")
        for facet in value.get("facets", []):
            start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
            assert 0 <= start < end <= len(text.encode())
        images = value.get("embed", {}).get("images", [])
        if len(images) > 4:
            raise _invalid("Record/embed/images must not have more than 4 elements")
        for image in images:
            cid = image["image"]["ref"]["$link"]
            if cid not in self.blobs:
                raise Failure(400, "BlobNotFound", f"Could not find blob: {cid}")
            if self.blobs[cid] > 2_000_000:
                raise Failure(400, "BlobTooLarge", f"This file is too large. It is {self.blobs[cid]} bytes")


def _invalid(words: str) -> Failure:
    return Failure(400, "InvalidRequest", f"Invalid app.bsky.feed.post record: {words}")
