"""What an effect is on its network: the neutral form that a connector is handed, and whether it can be there at all."""

from datetime import datetime
from typing import assert_never

from shared.contract import Card, Certainty, OutgoingEffect, Preparing, Target
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.held import Held
from shared.ids import Prefix, typeid
from shared.models.base import JsonObject
from shared.models.enums import MentionKind, OutgoingKind, Visibility
from shared.models.post import Outgoing


def certainty(card: Card, kind: OutgoingKind) -> Certainty:
    """How an unknown outcome is settled; of what a network no longer offers, by a person."""
    return card.effects.get(kind, Certainty.ASKED)


def prepares(card: Card, kind: OutgoingKind, payload: JsonObject) -> bool:
    """Whether something is laid ready on the network before the effect is sent."""
    match card.prepares:
        case Preparing.NEVER:
            return False
        case Preparing.WITH_MEDIA:
            return bool(payload.get("media"))
        case Preparing.ALWAYS:
            return kind is OutgoingKind.PUBLISH or bool(payload.get("media"))
        case _:
            assert_never(card.prepares)


def effect_of(one: Held, now: datetime) -> OutgoingEffect:
    """The effect as its connector is told of it."""
    outgoing, payload = one.outgoing, one.outgoing.payload
    return OutgoingEffect(
        id=typeid(Prefix.OUTGOING, outgoing.id),
        kind=outgoing.kind,
        text=payload.get("text", ""),
        thing_id=_thing_id(one),
        media=one.media,
        link=payload.get("link"),
        parent_external_id=_beneath(one, outgoing),
        root_external_id=_top(one),
        target=_target(one),
        audience=payload.get("audience"),
        language=payload.get("language"),
        seed=outgoing.id.int,
        due_at=outgoing.due_at,
        first_attempt_at=_first_sent(one, now),
        marks=outgoing.marks,
        undoes=one.undoes,
    )


def _first_sent(one: Held, now: datetime) -> datetime:
    """When it was first sent, or is now: laying ready is no attempt that a network could show."""
    return next((attempt.started_at for attempt in one.tried if attempt.step == Step.SEND), now)


def _thing_id(one: Held) -> str:
    if one.form is not None:
        return typeid(Prefix.POST, one.form.post.id)
    if one.mention is not None:
        return typeid(Prefix.MENTION, one.mention.id)
    return typeid(Prefix.IDENTITY, one.outgoing.identity_id or one.outgoing.id)


def _beneath(one: Held, outgoing: Outgoing) -> str | None:
    """The external id of what the effect hangs beneath."""
    if one.mention is not None and outgoing.kind is OutgoingKind.REPLY:
        return one.mention.external_id
    if one.form is None or outgoing.after_id is None:
        return None
    return next((e.external_id for e in one.form.effects if e.id == outgoing.after_id), None)


def _top(one: Held) -> str | None:
    if one.form is not None:
        return one.form.variant.external_id
    return one.root


def _target(one: Held) -> Target | None:
    mention, identity = one.mention, one.identity
    if mention is not None:
        return Target(
            mention.external_id,
            mention.kind,
            identity.external_id if identity is not None else None,
            one.root,
            mention.visibility is Visibility.PRIVATE or mention.kind is MentionKind.MESSAGE,
        )
    if identity is not None:
        return Target(identity.external_id, None, identity.external_id)
    return None
