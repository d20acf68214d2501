"""Share of voice: how much of what is said each query matches, beside the brand's other queries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.db import Session
from shared.domain.insight import metrics
from shared.domain.listening import queries
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import Dimension, Interval, MetricKey
from shared.models.query import SavedQuery

_KEYS = {MetricKey.MENTIONS, MetricKey.SHARE_OF_VOICE}


@dataclass(frozen=True, slots=True)
class Share:
    """What a query matched of the `matched` mentions that any query did, which `share` is of; None of none.

    `low` and `high` bound it with 95 % confidence; `complete` says whether all channels were observed all the time.
    """

    query: SavedQuery
    mentions: int
    matched: int
    share: float | None
    low: float | None
    high: float | None
    complete: bool


async def of_voice(
    session: Session,
    scope: Scope,
    *,
    since: datetime,
    until: datetime,
    where: MentionFilter | None = None,
    now: datetime,
) -> Sequence[Share]:
    """The share of each query that the filter asks for, from `since` up to `until`, in the order of their making.

    A mention that two queries matched counts for both, and once in the whole. Raises Invalid, as `metrics.series` does.
    """
    where = replace(where or MentionFilter(), deleted=False)
    zone, edges = await metrics.whole_range(session, scope, since, until)
    found = await metrics.measure(session, scope, _KEYS, edges, Interval.MONTH, zone, (Dimension.QUERY,), where, now)
    known: dict[tuple[str | None, ...], SavedQuery] = {
        (typeid(Prefix.QUERY, one.id),): one for one in await queries.list_(session, scope)
    }
    matched = sum(cell.mentions for cell in found.matched)
    shares = []
    for values, cells in found.lines.items():
        (point,) = found.points(MetricKey.SHARE_OF_VOICE, values)
        mentions = sum(cell.mentions for cell in cells)
        shares.append(Share(known[values], mentions, matched, point.value, point.low, point.high, point.complete))
    return shares
