"""Section 5, "Sending by `generic`": what the receiver gets, and what is looked up."""

import base64
import hashlib
import hmac
import time

from tests.contract.house import Channel, Tenant
from tests.contract.posting import create, ends, publish
from tests.contract.receiver import SECRET, Receiver


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


def test_a_refusal_is_shown_with_its_problem_and_leaves_the_post_partly_published(
    tenant: Tenant, receiver: Receiver, partner: Channel
) -> None:
    sandbox = tenant.channel("sandbox")
    receiver.refuse = 1_000
    answer = tenant.rest("POST", "/posts", json={"text": "To one of both", "channel_ids": [sandbox.id, partner.id]})
    publish(tenant, answer.json())
    found = ends(tenant, answer.json(), "partly_published", "uncertain", seconds=60)

    variants = {it["channel_id"]: it for it in found["variants"]}
    assert variants[sandbox.id]["status"] == "published"
    refused = variants[partner.id]
    assert refused["status"] in {"failed", "uncertain"}
    assert [it["state"] for it in refused["outgoing"]] in (["refused"], ["uncertain"])
    assert refused["problems"] or refused["outgoing"][0]["problem"]
    assert (refused["external_id"], refused["published_at"]) == (None, None)
