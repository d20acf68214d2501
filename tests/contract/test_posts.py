"""Posts in their first form: created, scheduled, published once, heard again; and sending by `generic` (section 5)."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.contract.conftest import problem
from tests.contract.house import Channel, Json, Tenant, eventually, mention, rfc3339

SECRET = base64.b64encode(b"the receiver knows this as well!").decode()


@dataclass
class Receiver:
    """A partner's own endpoint on loopback, which publishes what it is sent."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    published: dict[str, Json] = field(default_factory=dict)
    keep_then_fail: int = 0
    refuse: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/parvis"

    def sent(self) -> list[tuple[dict[str, str], Json]]:
        return [(headers, json.loads(body)) for method, _, headers, body in list(self.requests) if method == "POST"]

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, Json]:
        key = headers["webhook-id"]
        if self.refuse:
            self.refuse -= 1
            return 400, {"error": "we do not want it"}
        self.published.setdefault(key, {"id": f"partner-{len(self.published)}", "url": "https://partner.example/1"})
        if self.keep_then_fail:
            self.keep_then_fail -= 1
            return 500, {"error": "published, but nobody is told"}
        return 200, self.published[key]


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _note(self) -> tuple[dict[str, str], bytes]:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((self.command, self.path, headers, body))
            return headers, body

        def _answer(self, status: int, body: Json) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            self._answer(*receiver.take(*self._note()))

        def do_GET(self) -> None:
            self._note()
            found = receiver.published.get(self.path.rpartition("/")[2])
            self._answer(200 if found else 404, found or {})

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def partner(tenant: Tenant, receiver: Receiver) -> Channel:
    """A generic channel that sends to the receiver."""
    return tenant.connect(name="partner", credentials={"url": receiver.url, "secret": f"whsec_{SECRET}"})


def create(tenant: Tenant, channel: Channel, text: str, **more: Any) -> Json:
    answer = tenant.rest("POST", "/posts", json={"text": text, "channel_ids": [channel.id], **more})
    assert answer.status_code == 201, answer.text
    post: Json = answer.json()
    return post


def publish(tenant: Tenant, post: Json) -> httpx.Response:
    return tenant.rest("POST", f"/posts/{post['id']}/publish")


def ends(tenant: Tenant, post: Json, *statuses: str, seconds: float = 20) -> Json:
    end = time.monotonic() + seconds
    while True:
        found: Json = tenant.get(f"/posts/{post['id']}")
        if found["status"] in statuses:
            return found
        assert time.monotonic() < end, json.dumps(found)
        time.sleep(0.05)


def on_the_network(tenant: Tenant) -> list[Json]:
    account = tenant.channel("sandbox").external_id
    found: list[Json] = tenant.web.get(f"{tenant.local['sandbox']}/api/posts", params={"account": account}).json()[
        "posts"
    ]
    return found


# Through the practice network and back


def test_a_post_goes_to_the_practice_network_once_and_comes_back_as_our_own_mention(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "Open until ten tonight")
    assert post["status"] == "draft"
    assert publish(tenant, post).status_code < 300
    found = ends(tenant, post, "published")

    variant = found["variants"][0]
    assert (variant["status"], variant["channel_id"]) == ("published", tenant.channel("sandbox").id)
    assert [it["state"] for it in variant["outgoing"]] == ["live"]
    assert [it["id"] for it in on_the_network(tenant) if it["text"] == "Open until ten tonight"] == [
        variant["external_id"]
    ]
    assert variant["url"]
    assert variant["published_at"]

    def heard() -> list[Json]:
        return [it for it in tenant.mentions(network="sandbox") if it["external_id"] == variant["external_id"]]

    [ours] = eventually(heard, "our own post as a mention")
    assert (ours["kind"], ours["author_kind"], ours["text"]) == ("post", "brand", "Open until ten tonight")
    assert ours["variant_id"] == variant["id"]
    assert ours["id"] in {it["id"] for it in tenant.mentions(author_kind="brand")}


def test_our_own_posts_count_under_posts_and_not_under_mentions(tenant: Tenant) -> None:
    window = {"from": "2026-01-01T00:00:00Z", "to": rfc3339(datetime.now(UTC) + timedelta(days=2)), "interval": "month"}

    def counted() -> dict[str, float]:
        return {
            it["key"]: sum(point["value"] or 0 for point in it["points"])
            for key in ("mentions", "posts")
            for it in tenant.get("/metrics", keys=key, **window)["data"]
        }

    before = counted()
    post = create(tenant, tenant.channel("sandbox"), "Counted once")
    publish(tenant, post)
    ends(tenant, post, "published")
    eventually(lambda: [it for it in tenant.mentions() if it["text"] == "Counted once"], "our post as a mention")

    eventually(lambda: counted()["posts"] == before["posts"] + 1, "the post to be counted")
    assert counted()["mentions"] == before["mentions"]


def test_what_others_say_on_the_practice_network_is_heard_edited_and_deleted(tenant: Tenant) -> None:
    account, sandbox = tenant.channel("sandbox").external_id, tenant.local["sandbox"]
    said = tenant.web.post(
        f"{sandbox}/api/say", json={"account": account, "as": "lea", "text": "Quel accueil !", "rating": 4}
    ).json()
    assert set(said) >= {"id", "url"}

    def heard(**params: Any) -> Json | None:
        return next((it for it in tenant.mentions(**params) if it["external_id"] == said["id"]), None)

    found = eventually(heard, "hearing what lea said")
    assert found is not None
    assert (found["network"], found["kind"], found["rating"], found["text"]) == (
        "sandbox",
        "review",
        4,
        "Quel accueil !",
    )

    tenant.web.patch(f"{sandbox}/api/posts/{said['id']}", json={"text": "Quel bel accueil !"})
    eventually(lambda: (heard() or {}).get("text") == "Quel bel accueil !", "hearing the edit")
    assert tenant.history(found["id"]) == ["Quel accueil !", "Quel bel accueil !"]
    tenant.web.delete(f"{sandbox}/api/posts/{said['id']}")
    eventually(lambda: heard() is None, "hearing the deletion")
    assert (heard(deleted="true") or {"text": "absent"})["text"] is None


def test_a_comment_under_our_post_stands_in_its_thread(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "Which soup tomorrow?")
    publish(tenant, post)
    external_id = ends(tenant, post, "published")["variants"][0]["external_id"]
    body = {"account": tenant.channel("sandbox").external_id, "as": "lea", "text": "Tomato!", "parent_id": external_id}
    assert tenant.web.post(f"{tenant.local['sandbox']}/api/say", json=body).status_code < 300

    def answered() -> bool:
        known = {it["external_id"]: it for it in tenant.mentions(network="sandbox")}
        comment = next((it for it in known.values() if it["text"] == "Tomato!"), None)
        return bool(comment and external_id in known and comment["parent_id"] == known[external_id]["id"]
                    and comment["thread_id"] == known[external_id]["thread_id"])  # fmt: skip

    eventually(answered, "the comment under our post")


# Sending by generic


def test_the_receiver_gets_the_post_under_standard_webhooks_headers(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    post = create(tenant, partner, "To our partner ☕")
    publish(tenant, post)
    found = ends(tenant, post, "published")
    [(headers, body)] = receiver.sent()

    variant = found["variants"][0]
    assert set(body) == {"type", "post"}
    assert body["type"] == "post.publish"
    assert set(body["post"]) == {"id", "text", "media", "parent_id"}
    assert (body["post"]["text"], body["post"]["media"], body["post"]["parent_id"]) == ("To our partner ☕", [], None)
    raw = next(it[3] for it in receiver.requests if it[0] == "POST")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
    digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
    assert f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"].startswith("application/json")
    assert headers["webhook-id"] == variant["outgoing"][0]["id"]
    assert headers["webhook-id"].startswith("out_")
    assert (variant["external_id"], variant["url"]) == ("partner-0", "https://partner.example/1")


def test_what_is_not_known_to_have_failed_is_looked_up_and_not_sent_again(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    receiver.keep_then_fail = 1
    post = create(tenant, partner, "Accepted, then an error")
    publish(tenant, post)
    found = ends(tenant, post, "published", seconds=75)

    key = found["variants"][0]["outgoing"][0]["id"]
    assert f"/parvis/{key}" in [it[1] for it in receiver.requests if it[0] == "GET"]
    assert len(receiver.sent()) == 1
    assert found["variants"][0]["external_id"] == "partner-0"


def test_a_refusal_is_shown_with_its_problem(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    receiver.refuse = 1_000
    post = create(tenant, partner, "Not wanted")
    publish(tenant, post)
    found = ends(tenant, post, "failed", "uncertain", seconds=40)

    assert found["variants"][0]["outgoing"][0]["state"] in {"refused", "uncertain"}
    assert found["variants"][0]["problems"] or found["variants"][0]["outgoing"][0]["problem"]


def test_a_post_for_two_channels_has_a_variant_for_each(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    sandbox = tenant.channel("sandbox")
    answer = tenant.rest("POST", "/posts", json={
        "text": "To both", "channel_ids": [sandbox.id, partner.id],
        "variants": [{"channel_id": partner.id, "text": "To the partner alone"}]})  # fmt: skip
    assert answer.status_code == 201, answer.text
    publish(tenant, answer.json())
    found = ends(tenant, answer.json(), "published")

    assert {it["channel_id"]: it["text"] for it in found["variants"]} == {
        sandbox.id: "To both",
        partner.id: "To the partner alone",
    }
    assert [body["post"]["text"] for _, body in receiver.sent()] == ["To the partner alone"]


def test_a_refused_channel_leaves_the_post_partly_published(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    receiver.refuse = 1_000
    body = {"text": "To one of both", "channel_ids": [tenant.channel("sandbox").id, partner.id]}
    answer = tenant.rest("POST", "/posts", json=body)
    publish(tenant, answer.json())
    found = ends(tenant, answer.json(), "partly_published", "uncertain", seconds=40)

    assert "published" in {it["status"] for it in found["variants"]}


# Time


def test_a_scheduled_post_goes_out_when_due(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3)
    post = create(tenant, partner, "In three seconds", scheduled_at=rfc3339(due), status="scheduled")
    assert post["status"] == "scheduled"
    time.sleep(1)
    assert receiver.sent() == []
    ends(tenant, post, "published")

    [(headers, _)] = receiver.sent()
    assert due.timestamp() - 1 <= int(headers["webhook-timestamp"]) <= due.timestamp() + 5


def test_a_post_cancelled_before_it_is_due_never_goes_out(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3)
    post = create(tenant, partner, "Never", scheduled_at=rfc3339(due), status="scheduled")
    cancelled = tenant.rest("POST", f"/posts/{post['id']}/cancel")
    assert cancelled.status_code < 300
    assert cancelled.json()["status"] == "cancelled"
    time.sleep(5)

    assert receiver.sent() == []
    found = tenant.get(f"/posts/{post['id']}")
    assert found["status"] == "cancelled"
    assert {it["status"] for it in found["variants"]} == {"cancelled"}


def test_a_draft_with_a_time_stays_a_draft(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1)
    post = create(tenant, partner, "Only a draft", scheduled_at=rfc3339(due), status="draft")
    time.sleep(2.5)

    assert tenant.get(f"/posts/{post['id']}")["status"] == "draft"
    assert receiver.sent() == []


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2026-12-01T10:00", "Europe/Brussels", "2026-12-01T09:00:00Z"),
        ("2027-07-01T10:00", "Europe/Brussels", "2027-07-01T08:00:00Z"),
        ("2026-12-01T10:00", "America/New_York", "2026-12-01T15:00:00Z"),
    ],
)
def test_a_wall_clock_time_is_kept_with_its_zone(tenant: Tenant, local: str, zone: str, instant: str) -> None:
    post = create(tenant, tenant.channel(), "Later", local_time=local, timezone=zone, status="scheduled")

    assert (post["status"], post["scheduled_at"]) == ("scheduled", instant)
    assert post["local_time"].startswith(local)
    assert post["timezone"] == zone


@pytest.mark.parametrize("local", ["2027-03-28T02:30", "2026-10-25T02:30", "2027-10-31T02:30"])
def test_the_two_changes_of_the_clock_lose_no_post(tenant: Tenant, local: str) -> None:
    answer = tenant.rest("POST", "/posts", json={
        "text": "At the change", "channel_ids": [tenant.channel().id], "local_time": local,
        "timezone": "Europe/Brussels", "status": "draft"})  # fmt: skip

    assert answer.status_code in {201, 422}, answer.text
    if answer.status_code == 201:
        assert answer.json()["scheduled_at"]
        assert answer.json()["local_time"].startswith(local[:10])


@pytest.mark.parametrize(
    "timing",
    [{"scheduled_at": "2026-12-01T09:00:00Z", "local_time": "2026-12-01T10:00"}, {"local_time": "tomorrow"},
     {"scheduled_at": "2026-12-01"}, {"local_time": "2026-12-01T10:00", "timezone": "Brussels"}],
)  # fmt: skip
def test_a_time_that_cannot_be_meant_is_422(tenant: Tenant, timing: dict[str, str]) -> None:
    body = {"text": "When?", "channel_ids": [tenant.channel().id], "status": "scheduled", **timing}

    problem(tenant.rest("POST", "/posts", json=body), 422)


def test_scheduling_without_a_time_is_422(tenant: Tenant) -> None:
    body = {"text": "When?", "channel_ids": [tenant.channel().id], "status": "scheduled"}

    problem(tenant.rest("POST", "/posts", json=body), 422)


def test_warnings_never_refuse_a_draft(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "x" * 20_000)

    assert post["status"] == "draft"


# Reading and changing


def test_a_post_and_its_variants_have_the_contracts_names(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "Names")

    assert {"id", "status", "text", "scheduled_at", "local_time", "timezone", "variants"} <= set(post)
    assert {"id", "channel_id", "status", "text", "external_id", "url", "published_at", "problems", "outgoing"} <= set(
        post["variants"][0]
    )
    assert post["id"].startswith("post_")
    assert post["variants"][0]["id"].startswith("var_")


def test_posts_are_listed_by_status(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "Listed")

    assert post["id"] in {it["id"] for it in tenant.get("/posts", status="draft", limit=100)["data"]}
    assert post["id"] not in {it["id"] for it in tenant.get("/posts", status="published", limit=100)["data"]}


def test_a_draft_can_be_deleted(tenant: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "To delete")
    etag = tenant.rest("GET", f"/posts/{post['id']}").headers["etag"]

    assert tenant.rest("DELETE", f"/posts/{post['id']}", headers={"if-match": etag}).status_code == 204
    problem(tenant.rest("GET", f"/posts/{post['id']}"), 404)


def test_another_tenant_cannot_touch_a_post(tenant: Tenant, other: Tenant) -> None:
    post = create(tenant, tenant.channel("sandbox"), "Mine")

    problem(other.rest("GET", f"/posts/{post['id']}"), 404)
    problem(other.rest("POST", f"/posts/{post['id']}/publish"), 404)
    problem(other.rest("POST", f"/posts/{post['id']}/cancel"), 404)
    body = {"text": "Into a foreign channel", "channel_ids": [tenant.channel("sandbox").id]}
    assert other.rest("POST", "/posts", json=body).status_code in {404, 422}


def test_pausing_a_channel_holds_its_posts_and_resuming_lets_them_go(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    tenant.rest("POST", f"/channels/{partner.id}/pause")
    post = create(tenant, partner, "Held back")
    publish(tenant, post)
    time.sleep(2.5)
    assert receiver.sent() == []
    tenant.rest("POST", f"/channels/{partner.id}/resume")

    def out() -> bool:
        found = tenant.get(f"/posts/{post['id']}")
        return found["status"] in {"published", "held"}

    eventually(out, "the post after resuming")


def test_a_partners_own_mention_of_the_post_is_tied_to_its_variant(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    post = create(tenant, partner, "Seen by the partner")
    publish(tenant, post)
    variant = ends(tenant, post, "published")["variants"][0]
    external_id = f"{variant['external_id']}"
    tenant.hear(
        mention(external_id, "Seen by the partner", kind="post", author={"id": "the brand"}),
        mention(f"{external_id} answer", parent_id=external_id),
        channel=partner,
    )

    found = {it["external_id"]: it for it in tenant.mentions(channel_id=partner.id)}
    ours = found[external_id]
    assert (ours["kind"], ours["author_kind"], ours["variant_id"]) == ("post", "brand", variant["id"])
    assert found[f"{external_id} answer"]["parent_id"] == ours["id"]
