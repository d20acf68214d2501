"""Who answered whom: parents are linked whenever they come, and a thread is the tree under one root.

A thread is named by its root's key, whether or not the root has been heard: replies to a post that we never saw share
one thread. When the root turns out to have a parent of its own, its thread becomes part of the parent's. Of mentions
that answer each other in a circle, the one with the smallest key is the root.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState
from shared.ids import new_uuid

# What came before its parent, by the parents' keys.
WAITING = (
    "SELECT id, key, parent_key, thread_id FROM mention"
    " WHERE brand_id = $1 AND parent_key = ANY ($2) AND parent_id IS NULL AND heard"
)


@dataclass(slots=True)
class _Leaf:
    """A mention as far as its place in a tree goes."""

    id: UUID
    parent_key: UUID | None
    thread_id: UUID | None
    published_at: datetime


class Forest:
    """The threads that one batch touches. `states` are the loaded and new mentions by key; the batch writes them.

    What only grows takes the short way: a new mention joins its parent's thread, and brings along what waited for it.
    Where a mention went from one parent to another, or answers itself in the end, everything below it is placed anew.
    """

    def __init__(self, session: Session, brand_id: UUID, states: Mapping[UUID, MentionState]) -> None:
        self._session = session
        self._brand_id = brand_id
        self._states = states
        self._thread_keys: dict[UUID, UUID] = {}
        self._todo: dict[UUID, MentionState] = {}
        self._roots: dict[UUID, UUID] = {}
        self._threads: dict[UUID, UUID] = {}

    async def plant(self, placed: Iterable[MentionState], *, reparented: bool) -> None:
        """Give every newly heard mention its parent and its thread. The caller writes them."""
        self._todo = {state.key: state for state in placed}
        if not self._todo or reparented:
            return
        await self._load_thread_keys()
        for key, state in self._todo.items():
            root = self._root(state)
            if root is None:
                self._roots = {}
                return
            self._roots[key] = root
        latest: dict[UUID, datetime] = {}
        for key, root in self._roots.items():
            at = self._todo[key].published_at
            latest[root] = max(at, latest.get(root, at))
        self._threads = await self._make_threads(latest)
        for key, state in self._todo.items():
            parent = self._states.get(state.parent_key) if state.parent_key else None
            state.parent_id = parent.id if parent is not None and parent.heard else None
            state.thread_id = self._threads[self._roots[key]]

    async def settle_children(self) -> set[UUID]:
        """Once the planted mentions are written: link what came before its parent, and move whole threads along.

        Returns the threads that were left or joined and want tidying.
        """
        if not self._todo:
            return set()
        if not self._roots:
            return await self._place_below()
        await self._adopt()
        await self._merge_threads()
        return set()

    async def _load_thread_keys(self) -> None:
        """The root keys of the threads in which the batch's known parents stand."""
        ids = {s.thread_id for s in self._states.values() if s.thread_id is not None}
        if not ids:
            return
        rows = await (await driver(self._session)).fetch(
            "SELECT id, key FROM thread WHERE brand_id = $1 AND id = ANY ($2)", self._brand_id, list(ids)
        )
        self._thread_keys = {row["id"]: row["key"] for row in rows}

    def _root(self, state: MentionState) -> UUID | None:
        """The key at the top: climb through the batch, leap over what is stored. None where it goes in a circle."""
        seen: set[UUID] = set()
        current = state
        while current.key not in seen:
            seen.add(current.key)
            if current.parent_key is None:
                return current.key
            parent = self._states.get(current.parent_key)
            if parent is None or not parent.heard:
                return current.parent_key
            if parent.key not in self._todo and parent.thread_id is not None:
                top = self._thread_keys[parent.thread_id]
                above = self._todo.get(top)
                if above is None:
                    return top
                parent = above
            current = parent
        return None

    async def _make_threads(self, latest: Mapping[UUID, datetime]) -> dict[UUID, UUID]:
        """The ids of the threads with these roots, at least as new as given; each is made where it is missing."""
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
        """A circle's root keeps no parent: it is the mention whose key names its own thread.

        Asked for by keys and written by ids, in steps of which each has one good plan. One statement with both joins
        goes through all of the brand for each mention, where PostgreSQL has not counted the table yet.
        """
        connection = await driver(self._session)
        waiting = await connection.fetch(WAITING, self._brand_id, list(self._todo))
        if not waiting:
            return
        threads = await connection.fetch(
            "SELECT id, key FROM thread WHERE brand_id = $1 AND id = ANY ($2)",
            self._brand_id,
            list({row["thread_id"] for row in waiting}),
        )
        roots = {row["id"]: row["key"] for row in threads}
        adopted = [row for row in waiting if roots.get(row["thread_id"]) != row["key"]]
        await connection.execute(
            "UPDATE mention m SET parent_id = p.parent_id FROM unnest($2::uuid[], $3::uuid[]) AS p (id, parent_id)"
            " WHERE m.brand_id = $1 AND m.id = p.id",
            self._brand_id,
            [row["id"] for row in adopted],
            [self._todo[row["parent_key"]].id for row in adopted],
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

    async def _place_below(self) -> set[UUID]:
        """Find parent and thread again of the batch's mentions and of all that answers them, however far below.

        What stands above them is not below them, so its thread holds.
        """
        leaves = await self._leaves_below()
        above = await self._above({leaf.parent_key for leaf in leaves.values() if leaf.parent_key} - leaves.keys())
        roots, circles = _roots_of(leaves, {key: root for key, (_, root) in above.items()})
        latest: dict[UUID, datetime] = {}
        for key, root in roots.items():
            latest[root] = max(leaves[key].published_at, latest.get(root, leaves[key].published_at))
        threads = await self._make_threads(latest)
        ids = {key: id_ for key, (id_, _) in above.items()} | {key: leaf.id for key, leaf in leaves.items()}
        parents = {
            key: ids.get(leaf.parent_key) if leaf.parent_key is not None and key not in circles else None
            for key, leaf in leaves.items()
        }
        keys = sorted(leaves)
        await (await driver(self._session)).execute(
            "UPDATE mention m SET parent_id = p.parent_id, thread_id = p.thread_id"
            " FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS p (key, parent_id, thread_id)"
            " WHERE m.brand_id = $1 AND m.key = p.key"
            "   AND (m.parent_id, m.thread_id) IS DISTINCT FROM (p.parent_id, p.thread_id)",
            self._brand_id,
            keys,
            [parents[key] for key in keys],
            [threads[roots[key]] for key in keys],
        )
        for key in leaves.keys() & self._states.keys():
            self._states[key].parent_id, self._states[key].thread_id = parents[key], threads[roots[key]]
        return {leaf.thread_id for leaf in leaves.values() if leaf.thread_id is not None} | set(threads.values())

    async def _leaves_below(self) -> dict[UUID, _Leaf]:
        rows = await (await driver(self._session)).fetch(
            "WITH RECURSIVE below AS (SELECT key FROM mention WHERE brand_id = $1 AND key = ANY ($2)"
            " UNION SELECT m.key FROM below b JOIN mention m ON m.brand_id = $1 AND m.parent_key = b.key)"
            " SELECT m.key, m.id, m.parent_key, m.thread_id, m.published_at FROM below b"
            " JOIN mention m ON m.brand_id = $1 AND m.key = b.key WHERE m.heard",
            self._brand_id,
            list(self._todo),
        )
        return {r["key"]: _Leaf(r["id"], r["parent_key"], r["thread_id"], r["published_at"]) for r in rows}

    async def _above(self, keys: set[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
        """The id and the root's key of those of `keys` that have been heard."""
        rows = await (await driver(self._session)).fetch(
            "SELECT m.key, m.id, t.key AS root FROM mention m"
            " JOIN thread t ON t.brand_id = $1 AND t.id = m.thread_id"
            " WHERE m.brand_id = $1 AND m.key = ANY ($2) AND m.heard",
            self._brand_id,
            list(keys),
        )
        return {row["key"]: (row["id"], row["root"]) for row in rows}


def _roots_of(leaves: Mapping[UUID, _Leaf], above: Mapping[UUID, UUID]) -> tuple[dict[UUID, UUID], set[UUID]]:
    """The root's key of each leaf, and those roots that head a circle. `above`: the roots of what stands over them."""
    roots: dict[UUID, UUID] = {}
    circles: set[UUID] = set()
    for start in leaves:
        trail: dict[UUID, None] = {}
        at = start
        while at not in roots and at in leaves and at not in trail:
            trail[at] = None
            parent = leaves[at].parent_key
            if parent is None:
                break
            at = parent
        if at in roots:
            root = roots[at]
        elif at not in leaves:
            root = above.get(at, at)
        elif leaves[at].parent_key is None:
            root = at
        else:
            passed = list(trail)
            root = min(passed[passed.index(at) :])
            circles.add(root)
        roots.update(dict.fromkeys(trail, root))
    return roots, circles


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
