"""Of what people are told: the one table from events to kinds, and what each kind does where nobody has said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.ids import Prefix
from shared.models.enums import EventType, GrantRole, NotificationKind, NotificationWay, OutgoingKind

Words = Mapping[str, frozenset[str]]

# What belongs to a post is told with the post.
_OF_A_POST = frozenset({OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART})
_ELSEWHERE = frozenset(kind.value for kind in OutgoingKind if kind not in _OF_A_POST)


@dataclass(frozen=True, slots=True)
class Rule:
    """An event whose payload has one of these words at each of these places is told as `kind`, about a thing.

    `repeats`: each such event is news; else only the first one until the thing stands otherwise.
    """

    event: EventType
    when: Words
    kind: NotificationKind
    about: Prefix
    repeats: bool = False

    def fits(self, event: EventType, payload: Mapping[str, Any]) -> bool:
        return event is self.event and all(payload.get(place) in words for place, words in self.when.items())


def _is(**words: str | frozenset[str]) -> Words:
    return {place: frozenset({found}) if isinstance(found, str) else found for place, found in words.items()}


_K = NotificationKind
_NOT_EVERYWHERE = frozenset({"failed", "partly_published"})
_DECISIONS = frozenset({"approved", "changes_requested"})
_REVIEWERS = frozenset({"people", "client"})
# The first that fits counts. An event of one of these types that fits none says that its thing stands otherwise now.
RULES: tuple[Rule, ...] = (
    Rule(EventType.POST_CHANGED, _is(status=_NOT_EVERYWHERE), _K.POST_FAILED, Prefix.POST),
    Rule(EventType.POST_CHANGED, _is(status="uncertain"), _K.POST_UNCERTAIN, Prefix.POST),
    Rule(EventType.POST_CHANGED, _is(status="published"), _K.POST_PUBLISHED, Prefix.POST),
    Rule(EventType.MENTION_DELETED, {}, _K.POST_REMOVED_ON_NETWORK, Prefix.POST, repeats=True),
    Rule(EventType.OUTGOING_CHANGED, _is(state="uncertain", kind=_ELSEWHERE), _K.EFFECT_UNCERTAIN, Prefix.OUTGOING),
    Rule(EventType.OUTGOING_CHANGED, _is(state="refused", kind=_ELSEWHERE), _K.EFFECT_REFUSED, Prefix.OUTGOING),
    Rule(EventType.CHANNEL_CHANGED, _is(status="login_dead"), _K.CHANNEL_DIED, Prefix.CHANNEL),
    Rule(EventType.CHANNEL_CHANGED, _is(action="channel.gone"), _K.CHANNEL_DIED, Prefix.CHANNEL),
    Rule(EventType.APPROVAL_WAITING, {}, _K.APPROVAL_WAITING, Prefix.POST, repeats=True),
    Rule(EventType.APPROVAL_CHANGED, _is(kind=_DECISIONS), _K.APPROVAL_DECIDED, Prefix.POST, repeats=True),
    Rule(EventType.APPROVAL_CHANGED, _is(waits_for=_REVIEWERS), _K.APPROVAL_WAITING, Prefix.POST, repeats=True),
    Rule(EventType.HOLD_CHANGED, {}, _K.HOLD_CHANGED, Prefix.BRAND, repeats=True),
    Rule(EventType.ALERT_OPENED, {}, _K.ALERT_OPENED, Prefix.ALERT, repeats=True),
    Rule(EventType.ALERT_FOLLOWED, {}, _K.ALERT_FOLLOWED, Prefix.ALERT, repeats=True),
    Rule(EventType.ALERT_CLOSED, {}, _K.ALERT_CLOSED, Prefix.ALERT, repeats=True),
    Rule(EventType.ENDPOINT_DISABLED, {}, _K.WEBHOOK_DISABLED, Prefix.WEBHOOK_ENDPOINT, repeats=True),
)
EVENTS = frozenset(rule.event for rule in RULES)


def rule_of(event: EventType, payload: Mapping[str, Any]) -> Rule | None:
    """What an event is told as; None where nobody is told of it."""
    return next((rule for rule in RULES if rule.fits(event, payload)), None)


@dataclass(frozen=True, slots=True)
class Habit:
    """What holds for a kind where a user has said nothing: told from `role` on, by these ways.

    `is_urgent`: where the user wishes so, it comes in quiet hours too, and by no digest.
    """

    role: GrantRole
    ways: frozenset[NotificationWay] = field(default_factory=lambda: frozenset(NotificationWay))
    is_urgent: bool = False


_APP = frozenset({NotificationWay.APP, NotificationWay.WEBHOOK})
HABITS: dict[NotificationKind, Habit] = {
    _K.POST_FAILED: Habit(GrantRole.EDITOR, is_urgent=True),
    _K.POST_UNCERTAIN: Habit(GrantRole.EDITOR, is_urgent=True),
    _K.POST_PUBLISHED: Habit(GrantRole.EDITOR, frozenset()),
    _K.POST_REMOVED_ON_NETWORK: Habit(GrantRole.EDITOR, _APP),
    _K.EFFECT_UNCERTAIN: Habit(GrantRole.RESPONDER, is_urgent=True),
    _K.EFFECT_REFUSED: Habit(GrantRole.RESPONDER),
    _K.CHANNEL_DIED: Habit(GrantRole.MANAGER, is_urgent=True),
    _K.APPROVAL_WAITING: Habit(GrantRole.EDITOR),
    _K.APPROVAL_DECIDED: Habit(GrantRole.EDITOR, _APP),
    _K.HOLD_CHANGED: Habit(GrantRole.EDITOR, is_urgent=True),
    _K.WEBHOOK_DISABLED: Habit(GrantRole.MANAGER),
    _K.ALERT_OPENED: Habit(GrantRole.RESPONDER, is_urgent=True),
    _K.ALERT_FOLLOWED: Habit(GrantRole.RESPONDER, _APP, is_urgent=True),
    _K.ALERT_CLOSED: Habit(GrantRole.RESPONDER, _APP),
}
