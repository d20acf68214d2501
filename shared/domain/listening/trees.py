"""Who answered whom: parents are linked whenever they come, and a thread is the tree under one root.

A thread is named by its root's key, whether or not the root has been heard: replies to a post that we never saw share
one thread. When the root turns out to have a parent of its own, its thread becomes part of the parent's. Of mentions
that answer each other in a circle, the one with the smallest key is the root.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState
from shared.ids import new_uuid

_DEPTH = 100_000


class Forest:
    """The threads that one batch touches. `states` are the loaded and new mentions by key; the batch writes them."""

    def __init__(self, session: Session, brand_id: UUID, states: Mapping[UUID, MentionState]) -> None:
        self._session = session
        self._brand_id = brand_id
        self._states = states
        self._thread_keys: dict[UUID, UUID] = {}
        self._todo: dict[UUID, MentionState] = {}
        self._roots: dict[UUID, UUID] = {}
        self._threads: dict[UUID, UUID] = {}
        self._circles: set[UUID] = set()

    async def plant(self, placed: Iterable[MentionState]) -> None:
        """Give every newly heard or re-parented mention its parent and its thread. The caller writes them."""
        self._todo = {state.key: state for state in placed}
        if not self._todo:
            return
        await self._load_thread_keys()
        self._roots = {key: await self._root(state, self._todo) for key, state in self._todo.items()}
        self._threads = await self._make_threads()
        for key, state in self._todo.items():
            self._link(state, self._roots[key])
            state.thread_id = self._threads[self._roots[key]]

    async def settle_children(self, reparented: set[UUID]) -> None:
        """Once the planted mentions are written: link what came before its parent, and move whole threads along."""
        if not self._todo:
            return
        await self._adopt()
        await self._merge_threads()
        if self._circles:
            await (await driver(self._session)).execute(
                "UPDATE mention SET parent_id = NULL WHERE brand_id = $1 AND key = ANY ($2)",
                self._brand_id,
                list(self._circles),
            )
        for key in sorted(reparented):
            await self._move_below(key, self._threads[self._roots[key]])

    def _link(self, state: MentionState, root: UUID) -> None:
        parent = self._states.get(state.parent_key) if state.parent_key else None
        linked = parent is not None and parent.heard and root != state.key
        state.parent_id = parent.id if linked and parent else None

    async def _load_thread_keys(self) -> None:
        """The root keys of the threads in which the batch's known parents stand."""
        ids = {s.thread_id for s in self._states.values() if s.thread_id is not None}
        if not ids:
            return
        rows = await (await driver(self._session)).fetch(
            "SELECT id, key FROM thread WHERE brand_id = $1 AND id = ANY ($2)", self._brand_id, list(ids)
        )
        self._thread_keys = {row["id"]: row["key"] for row in rows}

    async def _root(self, state: MentionState, todo: Mapping[UUID, MentionState]) -> UUID:
        """The key at the top: climb through the batch, leap over what is stored."""
        trail: list[UUID] = []
        seen: set[UUID] = set()
        current = state
        while True:
            if current.key in seen:
                return await self._smallest_in_circle(trail, current.key)
            seen.add(current.key)
            trail.append(current.key)
            if current.parent_key is None:
                return current.key
            parent = self._states.get(current.parent_key)
            if parent is None or not parent.heard:
                return current.parent_key
            if parent.key not in todo and parent.thread_id is not None:
                top = self._thread_keys[parent.thread_id]
                above = todo.get(top)
                if above is None:
                    return top
                trail.append(parent.key)
                parent = above
            current = parent

    async def _smallest_in_circle(self, trail: list[UUID], key: UUID) -> UUID:
        """The circle's members: those of the trail, and the stored ones between them."""
        rows = await (await driver(self._session)).fetch(
            "WITH RECURSIVE up AS ("
            " SELECT key, parent_key, 1 AS depth FROM mention WHERE brand_id = $1 AND key = ANY ($2)"
            " UNION SELECT m.key, m.parent_key, up.depth + 1 FROM up JOIN mention m"
            "   ON m.brand_id = $1 AND m.key = up.parent_key WHERE up.depth < $3)"
            " CYCLE key SET again USING path SELECT DISTINCT key, parent_key FROM up",
            self._brand_id,
            trail,
            _DEPTH,
        )
        parents = {row["key"]: row["parent_key"] for row in rows}
        parents |= {k: s.parent_key for k, s in self._states.items() if s.heard}
        circle = [key]
        at = parents.get(key)
        while at is not None and at != key and len(circle) < _DEPTH:
            circle.append(at)
            at = parents.get(at)
        self._circles.add(min(circle))
        return min(circle)

    async def _make_threads(self) -> dict[UUID, UUID]:
        """The ids of the threads of the batch's roots; each is made where it is missing."""
        latest: dict[UUID, datetime] = {}
        for key, root in self._roots.items():
            at = self._todo[key].published_at
            latest[root] = max(at, latest.get(root, at))
        keys = sorted(latest)
        rows = await (await driver(self._session)).fetch(
            "INSERT INTO thread AS t (brand_id, id, key, last_at)"
            " SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])"
            " ON CONFLICT (brand_id, key) DO UPDATE SET last_at = greatest(t.last_at, excluded.last_at)"
            " RETURNING id, key",
            self._brand_id,
            [new_uuid() for _ in keys],
            keys,
            [latest[k] for k in keys],
        )
        return {row["key"]: row["id"] for row in rows}

    async def _adopt(self) -> None:
        """A circle's root keeps no parent: it is the mention whose key names its own thread."""
        await (await driver(self._session)).execute(
            "UPDATE mention m SET parent_id = p.id FROM unnest($2::uuid[], $3::uuid[]) AS p (key, id)"
            " WHERE m.brand_id = $1 AND m.parent_key = p.key AND m.parent_id IS NULL AND m.heard"
            "   AND NOT EXISTS (SELECT FROM thread t WHERE t.brand_id = $1 AND t.key = m.key AND t.id = m.thread_id)",
            self._brand_id,
            list(self._todo),
            [state.id for state in self._todo.values()],
        )

    async def _merge_threads(self) -> None:
        moved = {key: root for key, root in self._roots.items() if root != key}
        if not moved:
            return
        old = await (await driver(self._session)).fetch(
            "SELECT id, key FROM thread WHERE brand_id = $1 AND key = ANY ($2)", self._brand_id, list(moved)
        )
        for row in old:
            await self._merge(row["id"], self._threads[moved[row["key"]]])

    async def _merge(self, old: UUID, new: UUID) -> None:
        connection = await driver(self._session)
        await connection.execute(
            "UPDATE mention SET thread_id = $3 WHERE brand_id = $1 AND thread_id = $2", self._brand_id, old, new
        )
        await connection.execute(
            "UPDATE thread n SET last_at = greatest(n.last_at, o.last_at) FROM thread o"
            " WHERE n.brand_id = $1 AND n.id = $3 AND o.brand_id = $1 AND o.id = $2",
            self._brand_id,
            old,
            new,
        )
        await connection.execute("DELETE FROM thread WHERE brand_id = $1 AND id = $2", self._brand_id, old)

    async def _move_below(self, key: UUID, thread_id: UUID) -> None:
        """Take the subtree of a re-parented mention along."""
        await (await driver(self._session)).execute(
            "WITH RECURSIVE below AS (SELECT key FROM mention WHERE brand_id = $1 AND key = $2"
            " UNION SELECT m.key FROM below b JOIN mention m ON m.brand_id = $1 AND m.parent_key = b.key)"
            " UPDATE mention m SET thread_id = $3 FROM below b WHERE m.brand_id = $1 AND m.key = b.key AND m.heard",
            self._brand_id,
            key,
            thread_id,
        )


async def tidy(session: Session, brand_id: UUID, thread_ids: Iterable[UUID]) -> None:
    """Set the newest time of threads whose mentions moved or changed their time; drop the empty ones."""
    ids = list(set(thread_ids))
    if not ids:
        return
    connection = await driver(session)
    await connection.execute(
        "UPDATE thread t SET last_at = n.last_at FROM (SELECT thread_id, max(published_at) AS last_at FROM mention"
        " WHERE brand_id = $1 AND thread_id = ANY ($2) AND heard GROUP BY 1) n"
        " WHERE t.brand_id = $1 AND t.id = n.thread_id AND t.last_at <> n.last_at",
        brand_id,
        ids,
    )
    await connection.execute(
        "DELETE FROM thread t WHERE t.brand_id = $1 AND t.id = ANY ($2) AND NOT EXISTS"
        " (SELECT FROM mention m WHERE m.brand_id = $1 AND m.thread_id = t.id)",
        brand_id,
        ids,
    )
