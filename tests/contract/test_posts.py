"""Posts in their first form: created, scheduled, published once, and heard again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.conftest import problem
from tests.contract.house import Channel, Json, Tenant, eventually, mention, rfc3339
from tests.contract.posting import create, ends, on_the_network, publish
from tests.contract.receiver import Receiver


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


def goes_out_after(tenant: Tenant, channel: Channel, due: datetime) -> None:
    """Wait until a post that is due some seconds after `due` is out: what was due then would be out as well."""
    later = rfc3339(max(due, datetime.now(UTC)) + timedelta(seconds=3))
    ends(tenant, create(tenant, channel, "After it", scheduled_at=later, status="scheduled"), "published")


def said_to(receiver: Receiver) -> list[str]:
    return [body["post"]["text"] for _, body in receiver.sent()]


def test_a_scheduled_post_goes_out_when_due(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=3)
    post = create(tenant, partner, "In three seconds", scheduled_at=rfc3339(due), status="scheduled")
    assert post["status"] == "scheduled"
    ends(tenant, post, "published")

    [(headers, _)] = receiver.sent()
    assert due.timestamp() - 1 <= int(headers["webhook-timestamp"]) <= due.timestamp() + 20


def test_a_post_cancelled_before_it_is_due_never_goes_out(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=5)
    post = create(tenant, partner, "Never", scheduled_at=rfc3339(due), status="scheduled")
    cancelled = tenant.rest("POST", f"/posts/{post['id']}/cancel")
    assert cancelled.status_code < 300
    assert cancelled.json()["status"] == "cancelled"
    goes_out_after(tenant, partner, due)

    assert said_to(receiver) == ["After it"]
    found = tenant.get(f"/posts/{post['id']}")
    assert found["status"] == "cancelled"
    assert {it["status"] for it in found["variants"]} == {"cancelled"}


def test_a_draft_with_a_time_stays_a_draft(tenant: Tenant, receiver: Receiver, partner: Channel) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1)
    post = create(tenant, partner, "Only a draft", scheduled_at=rfc3339(due), status="draft")
    goes_out_after(tenant, partner, due)

    assert tenant.get(f"/posts/{post['id']}")["status"] == "draft"
    assert said_to(receiver) == ["After it"]


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
    goes_out_after(tenant, tenant.channel("sandbox"), datetime.now(UTC))
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
