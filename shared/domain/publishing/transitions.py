"""Which status follows which: the one table for posts and variants."""

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from shared.errors import Conflict
from shared.models.enums import OutgoingState, PostStatus, VariantStatus


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
        case PostStatus.HELD:
            return frozenset({Verb.SCHEDULE, Verb.PUBLISH, Verb.CANCEL})
        case PostStatus.PUBLISHING:
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


def may_be_sent(status: VariantStatus) -> bool:
    """Whether publishing the post sends this variant: it is wanted, and neither is nor may be on the network."""
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
