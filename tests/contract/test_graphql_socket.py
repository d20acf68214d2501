"""Section 6, GraphQL: the subscription by graphql-transport-ws."""
# ruff: noqa: E501  # a document reads best in one line

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.contract.house import Json, Tenant, mention


@contextmanager
def socket(tenant: Tenant, protocol: str = "graphql-transport-ws") -> Iterator[ClientConnection]:
    address = tenant.local["api"].replace("http://", "ws://") + "/graphql"
    with connect(address, subprotocols=[protocol], open_timeout=30, proxy=None) as found:  # type: ignore[list-item]
        yield found


def receive(connection: ClientConnection) -> Json:
    while True:
        found: Json = json.loads(connection.recv(timeout=40))
        if found["type"] != "ping":
            return found


def subscribe(connection: ClientConnection, tenant: Tenant, brand_id: str, after: int | None = None) -> None:
    connection.send(json.dumps({"type": "connection_init", "payload": tenant.authorization}))
    assert receive(connection)["type"] == "connection_ack"
    document = "subscription ($id: ID!, $after: Int) { mentions(brandId: $id, after: $after) { seq mention { externalId text } } }"
    payload = {"query": document, "variables": {"id": brand_id, "after": after}}
    connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))


def everything(connection: ClientConnection) -> tuple[list[Json], int | None]:
    """All frames until the socket is closed, or silent after an error, and the close code."""
    frames: list[Json] = []
    silence = 40.0
    try:
        while True:
            frame = json.loads(connection.recv(timeout=silence))
            frames.append(frame)
            if frame["type"] == "error" or "errors" in (frame.get("payload") or {}):
                silence = 1.0
    except TimeoutError:
        return frames, None
    except ConnectionClosed as end:
        return frames, end.rcvd.code if end.rcvd else None


def closed(connection: ClientConnection) -> int | None:
    return everything(connection)[1]


def test_mentions_are_pushed_with_their_seq_and_read_again_from_there(said: Tenant) -> None:
    with socket(said) as connection:
        subscribe(connection, said, said.brand_id, after=0)
        said.hear(mention("pushed", "now"))
        events: list[Json] = []
        while not events or events[-1]["mention"]["externalId"] != "pushed":
            message = receive(connection)
            assert message["type"] == "next", message
            assert not message["payload"].get("errors"), message
            events.append(message["payload"]["data"]["mentions"])
    numbers = [it["seq"] for it in events]
    assert numbers == sorted(set(numbers))

    with socket(said) as connection:
        subscribe(connection, said, said.brand_id, after=numbers[-1] - 1)
        again = receive(connection)["payload"]["data"]["mentions"]
    assert again["seq"] == numbers[-1]
    assert again["mention"]["externalId"] == "pushed"


@pytest.mark.parametrize(
    "payload", [None, {}, {"authorization": "Bearer pv_wrong"}, {"authorization": 7}, {"authorization": "pv_x"}]
)
def test_a_socket_without_a_valid_key_is_closed_4401_or_4403(said: Tenant, payload: Json | None) -> None:
    with socket(said) as connection:
        message = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
        connection.send(json.dumps(message))
        assert closed(connection) in {4401, 4403}


def test_subscribing_before_the_key_is_closed_4401(said: Tenant) -> None:
    with socket(said) as connection:
        payload = {
            "query": "subscription ($id: ID!) { mentions(brandId: $id) { seq } }",
            "variables": {"id": said.brand_id},
        }
        connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        assert closed(connection) == 4401


def test_a_foreign_brand_sends_nothing(said: Tenant, other: Tenant) -> None:
    with socket(said) as connection:
        subscribe(connection, said, other.brand_id, after=0)
        frames, code = everything(connection)

    assert "theirs" not in json.dumps(frames)
    assert code == 4403 or any(it["type"] == "error" or it["payload"].get("errors") for it in frames if "payload" in it)


def test_queries_and_mutations_run_over_the_socket_too(said: Tenant) -> None:
    with socket(said) as connection:
        connection.send(json.dumps({"type": "connection_init", "payload": said.authorization}))
        assert receive(connection)["type"] == "connection_ack"
        payload = {"query": "{ brands { nodes { id } } }"}
        connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        found = receive(connection)

    assert found["payload"]["data"]["brands"]["nodes"] == [{"id": said.brand_id}]


@pytest.mark.parametrize("frame", ["hello", "[]", "7", '{"type": "nothing"}', "{", "\x00"])
def test_a_frame_that_cannot_be_read_closes_the_socket(said: Tenant, frame: str) -> None:
    with socket(said) as connection:
        connection.send(frame)
        code = closed(connection)

    assert code is not None
    assert 4400 <= code < 4500
