"""The limit of a page: no GraphQL and no key, one statement under the same role and policies, written out as JSON."""

import base64
import os
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

_COLUMNS = (
    "m.id, m.network, m.kind, m.visibility, m.external_id, m.url, m.text, m.language, m.published_at, m.observed_at,"
    " m.edited_at, m.author_kind, m.likes, m.replies, m.shares, m.views,"
    " i.id, i.network, i.external_id, i.handle, i.name, c.id, c.network, c.name, c.status, t.id, t.last_at"
)
_PAGE = (
    f"SELECT {_COLUMNS} FROM mention m"
    " LEFT JOIN identity i ON i.brand_id = m.brand_id AND i.id = m.author_id"
    " LEFT JOIN channel c ON c.brand_id = m.brand_id AND c.id = m.channel_id"
    " LEFT JOIN thread t ON t.brand_id = m.brand_id AND t.id = m.thread_id"
    " WHERE m.brand_id = $1 AND m.heard AND m.deleted_at IS NULL %s"
    " ORDER BY m.published_at DESC, m.id DESC LIMIT $2"
)
_FIRST, _AFTER = _PAGE % "", _PAGE % "AND (m.published_at, m.id) < ($3, $4)"
_JSON = [(b"content-type", b"application/json")]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(scope["state"], receive, send)
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = orjson.dumps(await _page(scope["state"], orjson.loads(body)), default=str)
    headers = [*_JSON, (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _lifespan(state: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    state["brand"] = UUID(os.environ["BRAND"])
    state["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await state["pool"].close()
    await send({"type": "lifespan.shutdown.complete"})


async def _page(state: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    first, place = asked["first"], []
    if asked.get("after"):
        at, id_ = orjson.loads(base64.b64decode(asked["after"]))
        place = [datetime.fromisoformat(at), UUID(id_)]
    async with state["pool"].acquire() as connection, connection.transaction(readonly=True):
        await connection.execute("SELECT parvis.scope($1::text)", str(state["brand"]))
        rows = await connection.fetch(_AFTER if place else _FIRST, state["brand"], first + 1, *place)
    last = rows[first - 1] if len(rows) > first else None
    end = base64.b64encode(orjson.dumps([last["published_at"], str(last[0])])).decode() if last else None
    return {"nodes": [_node(row) for row in rows[:first]], "endCursor": end}


def _node(r: Any) -> dict[str, Any]:
    return {
        "id": r[0], "network": r[1], "kind": r[2], "visibility": r[3], "externalId": r[4], "url": r[5], "text": r[6],
        "language": r[7], "publishedAt": r[8], "observedAt": r[9], "editedAt": r[10], "authorKind": r[11],
        "engagement": {"likes": r[12], "replies": r[13], "shares": r[14], "views": r[15]},
        "author": r[16] and {"id": r[16], "network": r[17], "externalId": r[18], "handle": r[19], "name": r[20]},
        "channel": r[21] and {"id": r[21], "network": r[22], "name": r[23], "status": r[24]},
        "thread": r[25] and {"id": r[25], "lastAt": r[26]},
    }  # fmt: skip
