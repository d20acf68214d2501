"""Which status follows which: the one table for posts and variants."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never

from shared.errors import Conflict
from shared.models.enums import OutgoingKind, OutgoingState, PostStatus, VariantStatus
from shared.models.post import Outgoing, Post, Variant


class Verb(StrEnum):
    """What may be done to a post: by people, by a hold, or (`SEND`) by what its effects came to."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    REQUEST_CHANGES = "request changes"
    SCHEDULE = "schedule"
    PUBLISH = "publish"
    CANCEL = "cancel"
    DELETE = "delete"
    HOLD = "hold"
    RELEASE = "release"
    SEND = "send"


_S = PostStatus
_PLANNED = frozenset({_S.SCHEDULED, _S.HELD, _S.IN_REVIEW})
_OUT = frozenset({_S.PUBLISHING, _S.HELD, _S.IN_REVIEW})
_AGREED = frozenset({_S.IN_REVIEW, _S.APPROVED, _S.SCHEDULED, _S.HELD})
_BY_EFFECTS = frozenset({
    _S.SCHEDULED, _S.PUBLISHING, _S.PUBLISHED, _S.PARTLY_PUBLISHED, _S.FAILED, _S.UNCERTAIN, _S.HELD, _S.CANCELLED,
})  # fmt: skip
_CANCELLED = frozenset({_S.CANCELLED})
_WRITTEN = frozenset({_S.DRAFT})
GONE: frozenset[PostStatus] = frozenset()

# From which status by which verb to which: what does not stand here does not happen.
BORN = frozenset({_S.DRAFT, *_PLANNED})
TABLE: Mapping[PostStatus, Mapping[Verb, frozenset[PostStatus]]] = {
    _S.DRAFT: {
        Verb.EDIT: _WRITTEN, Verb.SUBMIT: _AGREED, Verb.SCHEDULE: _PLANNED, Verb.PUBLISH: _OUT,
        Verb.CANCEL: _CANCELLED, Verb.DELETE: GONE,
    },
    _S.IN_REVIEW: {
        Verb.EDIT: _AGREED, Verb.APPROVE: _AGREED, Verb.REQUEST_CHANGES: _WRITTEN, Verb.SCHEDULE: _PLANNED,
        Verb.PUBLISH: _OUT, Verb.CANCEL: _CANCELLED, Verb.DELETE: GONE,
    },
    _S.APPROVED: {
        Verb.EDIT: frozenset({_S.APPROVED, _S.IN_REVIEW}), Verb.REQUEST_CHANGES: _WRITTEN, Verb.SCHEDULE: _PLANNED,
        Verb.PUBLISH: _OUT, Verb.CANCEL: _CANCELLED, Verb.DELETE: GONE,
    },
    _S.SCHEDULED: {
        Verb.EDIT: _PLANNED, Verb.REQUEST_CHANGES: _WRITTEN, Verb.SCHEDULE: _PLANNED, Verb.PUBLISH: _OUT,
        Verb.CANCEL: _CANCELLED, Verb.DELETE: GONE, Verb.HOLD: frozenset({_S.HELD}), Verb.SEND: _BY_EFFECTS,
    },
    _S.HELD: {
        Verb.EDIT: _PLANNED, Verb.REQUEST_CHANGES: _WRITTEN, Verb.SCHEDULE: _PLANNED, Verb.PUBLISH: _OUT,
        Verb.CANCEL: _BY_EFFECTS, Verb.DELETE: GONE, Verb.HOLD: frozenset({_S.HELD}), Verb.RELEASE: _BY_EFFECTS,
        Verb.SEND: _BY_EFFECTS,
    },
    _S.PUBLISHING: {
        Verb.CANCEL: _BY_EFFECTS, Verb.HOLD: _BY_EFFECTS, Verb.RELEASE: _BY_EFFECTS, Verb.SEND: _BY_EFFECTS,
    },
    _S.UNCERTAIN: {Verb.HOLD: _BY_EFFECTS, Verb.RELEASE: _BY_EFFECTS, Verb.SEND: _BY_EFFECTS},
    _S.PARTLY_PUBLISHED: {
        Verb.PUBLISH: frozenset({_S.PUBLISHING, _S.HELD}), Verb.RELEASE: _BY_EFFECTS, Verb.SEND: _BY_EFFECTS,
    },
    _S.FAILED: {
        Verb.EDIT: frozenset({_S.FAILED}), Verb.SUBMIT: _AGREED, Verb.SCHEDULE: _PLANNED, Verb.PUBLISH: _OUT,
        Verb.CANCEL: _CANCELLED, Verb.SEND: _BY_EFFECTS,
    },
    _S.CANCELLED: {Verb.DELETE: GONE, Verb.SEND: _BY_EFFECTS},
    _S.PUBLISHED: {Verb.SEND: _BY_EFFECTS},
}  # fmt: skip
_ON_ITS_WAY = frozenset({_S.PUBLISHING, _S.UNCERTAIN})
# What would change, or take away, what is out already.
_WHOLE = frozenset({Verb.EDIT, Verb.DELETE, Verb.REQUEST_CHANGES})
_LEFT = frozenset({VariantStatus.PUBLISHED, VariantStatus.PUBLISHING, VariantStatus.UNCERTAIN})


def require(status: PostStatus, verb: Verb, variants: Sequence[VariantStatus] = ()) -> None:
    """Raise Conflict, which says what stands, unless a post of this status may be asked this."""
    if verb not in TABLE[status]:
        code = "already_sending" if status in _ON_ITS_WAY else "wrong_state"
        said = f"a post that is {_words(status)} can't be asked to {verb.value}"
        if verb is Verb.DELETE and is_out(variants):
            said += " here: to take it off its network, delete the mention that its variant names"
        raise Conflict(f"{said}{_what_stands(variants)}", code=code)
    if verb in _WHOLE and is_out(variants):
        said = f"a part of it is out already, so it can't be asked to {verb.value}"
        raise Conflict(f"{said}{_what_stands(variants)}", code="already_sending")


def go(post: Post, verb: Verb, to: PostStatus) -> None:
    """Put a post where a verb leads. Raises AssertionError for a way that is not in the table."""
    assert to in TABLE[post.status].get(verb, GONE), f"{post.status} can't {verb.value} to {to}"
    post.status = to


def may_be_held(status: VariantStatus) -> bool:
    """Whether a variant of which something waits is shown as held: what is out, or may be, stays what it is."""
    return status in {VariantStatus.SCHEDULED, VariantStatus.PUBLISHING}


def is_out(variants: Sequence[VariantStatus]) -> bool:
    """Whether something of a post is out, or may be."""
    return bool(_LEFT.intersection(variants))


def planned_status(variants: Sequence[Variant], *, now: bool) -> PostStatus:
    """How a post stands once its effects wait: for now, for later, or for a hold to end."""
    found = {variant.status for variant in variants}
    if VariantStatus.PUBLISHING in found:
        return PostStatus.PUBLISHING
    if VariantStatus.HELD in found:
        return PostStatus.HELD
    return PostStatus.PUBLISHING if now else PostStatus.SCHEDULED


def _what_stands(variants: Sequence[VariantStatus]) -> str:
    counted = Counter(variants)
    said = [f"{_words(status)} on {counted[status]}" for status in VariantStatus if counted[status]]
    return f"; its channels: {', '.join(said)}" if said else ""


def _words(status: PostStatus | VariantStatus) -> str:
    return status.value.replace("_", " ")


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


def called_off(effects: Sequence[Outgoing]) -> VariantStatus:
    """How a variant stands once everything that could be was called off: what is out, or may be, stays what it is."""
    states = [one.state for one in standing(effects)]
    is_gone = not states or states[0] is OutgoingState.REFUSED
    return VariantStatus.CANCELLED if is_gone else variant_status_of(states)


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
        planned = found <= {VariantStatus.SCHEDULED, VariantStatus.HELD, VariantStatus.CANCELLED}
        return PostStatus.SCHEDULED if planned else PostStatus.PUBLISHING
    if VariantStatus.UNCERTAIN in found:
        return PostStatus.UNCERTAIN
    if VariantStatus.HELD in found:
        return PostStatus.HELD
    if found <= {VariantStatus.CANCELLED}:
        return PostStatus.CANCELLED
    if VariantStatus.PUBLISHED not in found:
        return PostStatus.FAILED
    return PostStatus.PUBLISHED if found == {VariantStatus.PUBLISHED} else PostStatus.PARTLY_PUBLISHED
