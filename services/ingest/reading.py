"""What an arrival says, and how it ends by that: recorded, fetched further, knowingly passed over, or unreadable."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from shared.analysis.reading import Text
from shared.connectors.registry import connector
from shared.contract import Capability, Parsed, RawPart, Said
from shared.domain.listening import inbox, pointers, readings
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.inbox import Claimed, Raw, Settled
from shared.domain.listening.pointers import Named
from shared.errors import BadPayload, Problem
from shared.models.enums import ArrivalState


def parse(one: Claimed, external_id: str, raw: Raw) -> Parsed | BadPayload:
    """What an arrival says, or why it can't be read."""
    try:
        return connector(one.network).parse(RawPart(external_id, raw.body, one.stamp, raw.headers))
    except BadPayload as error:
        return error


def heard_part(one: Claimed, found: Parsed) -> HeardPart:
    """What an arrival says, as it is recorded."""
    assert one.channel_id is not None
    space = "" if connector(one.network).card.shared_ids else str(one.channel_id)
    return HeardPart(one.channel_id, one.network, space, found.heard)


def texts(parts: Sequence[HeardPart]) -> list[Text]:
    """The texts that these parts bring, as they will be read."""
    said = (readings.text_said(one, part.network) for part in parts for one in part.heard if isinstance(one, Said))
    return [text for text in said if text is not None]


def named(one: Claimed, found: Parsed | BadPayload, headers: Mapping[str, str]) -> list[Named]:
    """What is to be fetched because this arrival named it."""
    depth = pointers.depth_of(headers)
    if isinstance(found, BadPayload) or one.channel_id is None or not _follows(one, depth):
        return []
    return [Named(one.channel_id, one.id, one.network, pointer, depth + 1) for pointer in found.pointers]


def _follows(one: Claimed, depth: int) -> bool:
    return connector(one.network).card.can(Capability.FETCH) and depth < pointers.DEEPEST


def settled(one: Claimed, found: Parsed | BadPayload, headers: Mapping[str, str], keys: Sequence[UUID]) -> Settled:
    """How an arrival ends by what it says, and the `keys` of the mentions that it was about."""
    if isinstance(found, BadPayload):
        problems = found.problems or (Problem(found.code, found.message),)
        return Settled(one.id, ArrivalState.UNREADABLE, [inbox.problem_row(p) for p in problems])
    ignored = [{"reason": reason} for reason in found.ignored]
    followed = found.pointers if _follows(one, pointers.depth_of(headers)) else ()
    ignored += [inbox.pointer_row(pointer) for pointer in found.pointers if not followed]
    problems_ = [inbox.problem_row(p) for p in found.problems]
    state = ArrivalState.SETTLED if found.heard or followed else ArrivalState.IGNORED
    if not found.heard and found.problems and not found.ignored and not found.pointers:
        state = ArrivalState.UNREADABLE
    return Settled(one.id, state, problems_, ignored, sorted(set(keys)))
