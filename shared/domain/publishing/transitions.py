"""Which status follows which: the one table for posts and variants."""

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from shared.errors import Conflict
from shared.models.enums import OutgoingKind, OutgoingState, PostStatus, VariantStatus
from shared.models.post import Outgoing, Variant


class Verb(StrEnum):
    """What a person may ask of a post."""

    EDIT = "edit"
    SCHEDULE = "schedule"
    PUBLISH = "publish"
    CANCEL = "cancel"
    DELETE = "delete"


def allowed(status: PostStatus) -> frozenset[Verb]:  # noqa: PLR0911 - a table, a line a status
    """What a post of this status may be asked."""
    match status:
        case PostStatus.DRAFT | PostStatus.APPROVED:
            return frozenset(Verb)
        case PostStatus.IN_REVIEW:
            return frozenset({Verb.EDIT, Verb.CANCEL, Verb.DELETE})
        case PostStatus.SCHEDULED:
            return frozenset({Verb.EDIT, Verb.SCHEDULE, Verb.PUBLISH, Verb.CANCEL})
        case PostStatus.FAILED:
            return frozenset({Verb.EDIT, Verb.SCHEDULE, Verb.PUBLISH})
        case PostStatus.HELD | PostStatus.PUBLISHING:
            return frozenset({Verb.CANCEL})
        case PostStatus.PARTLY_PUBLISHED:
            return frozenset({Verb.PUBLISH})
        case PostStatus.CANCELLED:
            return frozenset({Verb.DELETE})
        case PostStatus.PUBLISHED | PostStatus.UNCERTAIN:
            return frozenset()
        case _:
            assert_never(status)


def require(status: PostStatus, verb: Verb) -> None:
    """Raise Conflict unless a post of this status may be asked this."""
    if verb not in allowed(status):
        raise Conflict(
            f"a post that is {status.value.replace('_', ' ')} can't be asked to {verb.value}", code="wrong_state"
        )


def variant_status(state: OutgoingState, *, held: bool = False) -> VariantStatus:  # noqa: PLR0911 - a table
    """How a variant stands when its outgoing effect is in this state; `held`: its channel stands still."""
    match state:
        case OutgoingState.WAITING:
            return VariantStatus.HELD if held else VariantStatus.SCHEDULED
        case OutgoingState.RETRYING:
            return VariantStatus.HELD if held else VariantStatus.PUBLISHING
        case OutgoingState.SENDING:
            return VariantStatus.PUBLISHING
        case OutgoingState.LIVE:
            return VariantStatus.PUBLISHED
        case OutgoingState.REFUSED:
            return VariantStatus.FAILED
        case OutgoingState.UNCERTAIN:
            return VariantStatus.UNCERTAIN
        case OutgoingState.DROPPED:
            return VariantStatus.CANCELLED
        case _:
            assert_never(state)


def standing(effects: Sequence[Outgoing]) -> list[Outgoing]:
    """Those of a variant's effects, in the order in which they were made, by which it stands: its post as it was sent
    last, then what hangs beneath. Empty where nothing was ever to be sent."""
    posts = [one for one in effects if one.kind is OutgoingKind.PUBLISH]
    if not posts:
        return []
    main = next((one for one in reversed(posts) if one.state is not OutgoingState.DROPPED), posts[-1])
    beneath = [one for one in effects if one.kind is not OutgoingKind.PUBLISH]
    last = {place_of(one): one for one in beneath}
    return [main, *(one for one in last.values() if one.state is not OutgoingState.DROPPED)]


def place_of(outgoing: Outgoing) -> tuple[str | int, ...]:
    """Where in its variant an effect is written: nowhere for the post itself."""
    match outgoing.kind:
        case OutgoingKind.FIRST_COMMENT:
            return ("first_comment",)
        case OutgoingKind.THREAD_PART:
            return ("parts", int(outgoing.payload["part"]))
        case _:
            return ()


def makes_something(kind: OutgoingKind) -> bool:
    """Whether an effect brings something about that has an id of its own; otherwise it acts on what is there."""
    match kind:
        case OutgoingKind.PUBLISH | OutgoingKind.FIRST_COMMENT | OutgoingKind.THREAD_PART | OutgoingKind.REPLY:
            return True
        case OutgoingKind.HIDE | OutgoingKind.UNHIDE | OutgoingKind.DELETE:
            return False
        case OutgoingKind.LIKE | OutgoingKind.UNLIKE | OutgoingKind.BLOCK | OutgoingKind.UNBLOCK:
            return False
        case _:
            assert_never(kind)


def variant_status_of(states: Sequence[OutgoingState], *, held: bool = False) -> VariantStatus:
    """How a variant stands by its effects: the post itself first, then what hangs beneath it.

    A post that is live is never called failed: what is missing beneath it stands among its problems.
    """
    main, *beneath = states
    if main is not OutgoingState.LIVE:
        return variant_status(main, held=held)
    if OutgoingState.UNCERTAIN in beneath:
        return VariantStatus.UNCERTAIN
    moving = {OutgoingState.WAITING, OutgoingState.SENDING, OutgoingState.RETRYING}
    return VariantStatus.PUBLISHING if moving.intersection(beneath) else VariantStatus.PUBLISHED


def post_status_of(variants: Sequence[Variant]) -> PostStatus:
    """How a post stands by its variants; one that is published and lacks something beneath is published in part."""
    status = post_status([variant.status for variant in variants])
    lacks = any(v.status is VariantStatus.PUBLISHED and v.problems for v in variants)
    return PostStatus.PARTLY_PUBLISHED if status is PostStatus.PUBLISHED and lacks else status


def may_be_taken_back(state: OutgoingState) -> bool:
    """Whether it is certain that nothing has left us, so that an effect can still be called off."""
    match state:
        case OutgoingState.WAITING | OutgoingState.RETRYING:
            return True
        case OutgoingState.SENDING | OutgoingState.LIVE | OutgoingState.REFUSED:
            return False
        case OutgoingState.UNCERTAIN | OutgoingState.DROPPED:
            return False
        case _:
            assert_never(state)


def may_be_sent(variant: Variant) -> bool:
    """Whether publishing the post sends something of this variant: it is wanted and not, or not wholly, out."""
    if variant.status is VariantStatus.PUBLISHED:
        return bool(variant.problems)
    return _may_be_sent(variant.status)


def _may_be_sent(status: VariantStatus) -> bool:
    match status:
        case VariantStatus.PUBLISHED | VariantStatus.UNCERTAIN | VariantStatus.PUBLISHING | VariantStatus.CANCELLED:
            return False
        case VariantStatus.DRAFT | VariantStatus.IN_REVIEW | VariantStatus.APPROVED | VariantStatus.SCHEDULED:
            return True
        case VariantStatus.FAILED | VariantStatus.HELD:
            return True
        case _:
            assert_never(status)


def post_status(variants: Sequence[VariantStatus]) -> PostStatus:  # noqa: PLR0911 - a table, most urgent first
    """How a post stands once sending has begun: what moves comes first, then what needs a person, then the end."""
    found = set(variants)
    if VariantStatus.PUBLISHING in found:
        return PostStatus.PUBLISHING
    if VariantStatus.SCHEDULED in found:
        return PostStatus.SCHEDULED if found <= {VariantStatus.SCHEDULED, VariantStatus.HELD} else PostStatus.PUBLISHING
    if VariantStatus.UNCERTAIN in found:
        return PostStatus.UNCERTAIN
    if VariantStatus.HELD in found:
        return PostStatus.HELD
    if found <= {VariantStatus.CANCELLED}:
        return PostStatus.CANCELLED
    if VariantStatus.PUBLISHED not in found:
        return PostStatus.FAILED
    return PostStatus.PUBLISHED if found == {VariantStatus.PUBLISHED} else PostStatus.PARTLY_PUBLISHED
