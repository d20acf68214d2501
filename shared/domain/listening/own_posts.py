"""Posts of ours that their network tells us of."""

from collections.abc import Iterable
from uuid import UUID

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState, thing_key
from shared.models.enums import AuthorKind, Network


async def tie(session: Session, brand_id: UUID, states: Iterable[MentionState]) -> None:
    """A post that we published and that the network now tells us of is the brand's own, tied to its variant."""
    untied: dict[str, list[MentionState]] = {}
    for state in states:
        if state.heard and state.variant_id is None and state.dirty:
            untied.setdefault(state.external_id, []).append(state)
    if not untied:
        return
    found = await (await driver(session)).fetch(
        "SELECT v.id, v.channel_id, v.external_id, c.network FROM variant v"
        " JOIN channel c ON c.brand_id = v.brand_id AND c.id = v.channel_id"
        " WHERE v.brand_id = $1 AND v.external_id = ANY ($2)",
        brand_id,
        list(untied),
    )
    for row in found:
        # Where a network's ids mean the same on all its channels, another channel may have heard of the post first.
        keys = {thing_key(Network(row["network"]), space, row["external_id"]) for space in ("", str(row["channel_id"]))}
        for state in untied[row["external_id"]]:
            if state.key in keys:
                state.variant_id, state.author_kind, state.dirty = row["id"], AuthorKind.BRAND, True
