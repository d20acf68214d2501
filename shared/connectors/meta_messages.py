"""What `messaging[]` and `standby[]` say in Meta's webhooks: private messages, and what happens around them."""

from collections.abc import Mapping
from dataclasses import replace

from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.meta_media import known_by
from shared.connectors.reading import identifier, name, unix_time, web_address, words
from shared.contract import Author, Deleted, MediaDraft, Reacted, Said, storable
from shared.models.enums import AuthorKind, MentionKind, Visibility

_ENVELOPE = frozenset({"sender", "recipient", "timestamp", "mid", "hop_context", "prior_message", "is_echo", "app_id"})
_REASONS = {
    "account_linking": "a login, not something said",
    "app_roles": "which app owns the conversation, not something said",
    "delivery": "a delivery receipt, not something said",
    "optin": "a consent, not something said",
    "pass_thread_control": "which app owns the conversation, not something said",
    "policy-enforcement": "the network's word to the app's owner, not something said",
    "read": "a reading receipt, not something said",
    "referral": "where the person came from, not something said",
    "request_thread_control": "which app owns the conversation, not something said",
    "take_thread_control": "which app owns the conversation, not something said",
}
# The dashboard's test button sends these as `changes[]`, with the event as the value.
FIELDS = frozenset(
    {
        "messages",
        "message_echoes",
        "message_edits",
        "message_reactions",
        "message_reads",
        "message_deliveries",
        "messaging_postbacks",
        "messaging_policy_enforcement",
        "standby",
    }
)


def hear_message(entry: Entry, event: object) -> Told:
    """The facts of one event, and the reasons for what is passed over. Raises Unusable."""
    if not isinstance(event, Mapping):
        raise Unusable("an event is an object")
    # The event's own time is signed with the body, and orders several events of one delivery.
    happened_at = unix_time(event.get("timestamp"))
    entry = replace(entry, stamp=happened_at or entry.stamp)
    for what, hear in (
        ("message", _message),
        ("message_edit", _edit),
        ("reaction", _reaction),
        ("postback", _postback),
    ):
        if what in event:
            value = event[what]
            if not isinstance(value, Mapping):
                raise Unusable(f"{what} is an object", what)
            return hear(entry, event, value)
    for what, reason in _REASONS.items():
        if what in event:
            return [f"{what}: {reason}"]
    unknown = sorted(storable(str(key)[:40]) for key in event if key not in _ENVELOPE)
    if unknown:
        return [f"messaging {', '.join(unknown[:5])}: not about mentions"]
    raise Unusable("the event holds nothing but its envelope")


def _message(entry: Entry, event: Value, message: Value) -> Told:
    mid = _mid(message, "message")
    if message.get("is_deleted") is True:
        return [Deleted(mid, entry.stamp)]
    return [_said(entry, event, mid, words(message.get("text")), message, echo=message.get("is_echo") is True)]


def _edit(entry: Entry, event: Value, edit: Value) -> Told:
    said = _said(entry, event, _mid(edit, "message_edit"), words(edit.get("text")), edit, echo=False)
    return [replace(said, published_at=None, edited_at=unix_time(event.get("timestamp")))]


def _postback(entry: Entry, event: Value, postback: Value) -> Told:
    """Somebody pressed a button: its title is what they said."""
    title = words(postback.get("title"))
    if not title:
        return ["postback: a button without a title, nothing was said"]
    mid = identifier(postback.get("mid"))
    if mid is None:
        sender, when = _person(event, "sender"), unix_time(event.get("timestamp"))
        if sender is None or when is None:
            raise Unusable("a postback needs a mid, or its sender and timestamp", "postback", "mid")
        mid = f"postback_{sender}_{int(when.timestamp() * 1000)}"[:1000]
    return [_said(entry, event, mid, title, postback, echo=False)]


def _reaction(entry: Entry, event: Value, reaction: Value) -> Told:
    action = reaction.get("action")
    if action not in ("react", "unreact"):
        raise Unusable("a reaction's action is react or unreact", "reaction", "action")
    return [
        Reacted(
            external_id=_mid(reaction, "reaction"),
            actor_external_id=_person(event, "sender") or "unknown",
            reaction=name(reaction.get("reaction")) or name(reaction.get("emoji")) or "other",
            on=action == "react",
            stamp=entry.stamp,
        )
    ]


def _said(entry: Entry, event: Value, mid: str, text: str | None, message: Value, *, echo: bool) -> Said:
    sender = _person(event, "sender")
    author = None if sender is None else Author(sender)
    reply_to = message.get("reply_to")
    return Said(
        external_id=mid,
        kind=MentionKind.MESSAGE,
        stamp=entry.stamp,
        text=text,
        author=author,
        author_kind=AuthorKind.BRAND if echo else entry.author_kind(author),
        published_at=unix_time(event.get("timestamp")),
        parent_external_id=identifier(reply_to.get("mid")) if isinstance(reply_to, Mapping) else None,
        media=tuple(_media(message)),
        visibility=Visibility.PRIVATE,
    )


def _media(message: Value) -> list[MediaDraft]:
    found = []
    attachments = message.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else []:
        if not isinstance(attachment, Mapping):
            continue
        payload = attachment.get("payload")
        inner: Value = payload if isinstance(payload, Mapping) else {}
        url = web_address(inner.get("url")) or web_address(attachment.get("url"))
        if url is not None:
            title = words(attachment.get("title")) or words(inner.get("title"))
            found.append(MediaDraft(url, (name(attachment.get("type")) or "file")[:40], title, known_by(url)))
    reply_to = message.get("reply_to")
    story = reply_to.get("story") if isinstance(reply_to, Mapping) else None
    url = web_address(story.get("url")) if isinstance(story, Mapping) else None
    return [*found, MediaDraft(url, "story", key=known_by(url))] if url is not None else found


def _mid(value: Value, what: str) -> str:
    mid = identifier(value.get("mid"))
    if mid is None:
        raise Unusable(f"a {what} needs a mid", what, "mid")
    return mid


def _person(event: Value, role: str) -> str | None:
    person = event.get(role)
    return identifier(person.get("id")) if isinstance(person, Mapping) else None
