"""A brand's queries, ready to be asked of what arrives.

They are read in the transaction that records, under the brand's scope: whoever has locked the brand sees every change
that was committed before, so a change holds from the next batch on. What is read are ids and versions; an expression
only once it is new.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from shared.analysis.matcher import Listening, Matcher, anchored_anew, listening
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.problems import QueryRefused
from shared.analysis.queries.seen import Seen
from shared.db import Session, driver
from shared.log import logger

_log = logger("domain.ears")
_MOST_BRANDS = 1_000
_LEARNED = 500  # texts looked at, after which each query may know a rarer word to wait for; then after twice as many

Asking = tuple[UUID, int]  # a query and its version


@dataclass(slots=True)
class _Known:
    versions: dict[UUID, int] = field(default_factory=dict)
    ready: dict[UUID, Listening[Asking]] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    matcher: Matcher[Asking] | None = None
    again_at: int = _LEARNED


class Ears:
    """What a process remembers of brands' queries; those of the brands that spoke last. Loses nothing by dying."""

    def __init__(self) -> None:
        self._brands: OrderedDict[UUID, _Known] = OrderedDict()

    async def of(self, session: Session, brand_id: UUID) -> Matcher[Asking] | None:
        """The matcher of a brand's queries as this transaction sees them; None where it has none."""
        connection = await driver(session)
        found = await connection.fetch("SELECT id, version FROM saved_query WHERE brand_id = $1", brand_id)
        versions = {row["id"]: row["version"] for row in found}
        if not versions:
            self._brands.pop(brand_id, None)
            return None
        known = self._brands.setdefault(brand_id, _Known())
        self._brands.move_to_end(brand_id)
        if len(self._brands) > _MOST_BRANDS:
            self._brands.popitem(last=False)
        if known.matcher is None or known.versions != versions:
            await self._learn(session, brand_id, known, versions)
        elif known.seen.texts >= known.again_at:
            known.again_at = 2 * known.seen.texts
            known.ready = {id_: anchored_anew(one, known.seen) for id_, one in known.ready.items()}
            known.matcher = Matcher(known.ready.values(), seen=known.seen)
        return known.matcher

    async def _learn(self, session: Session, brand_id: UUID, known: _Known, versions: dict[UUID, int]) -> None:
        changed = [id_ for id_, version in versions.items() if known.versions.get(id_) != version]
        rows = await (await driver(session)).fetch(
            "SELECT id, version, expression FROM saved_query WHERE brand_id = $1 AND id = ANY ($2)", brand_id, changed
        )
        ready = {id_: one for id_, one in known.ready.items() if known.versions.get(id_) == versions.get(id_)}
        for row in rows:
            key = (row["id"], row["version"])
            try:
                ready[row["id"]] = listening(key, parse(row["expression"]), seen=known.seen)
            except QueryRefused as refused:  # saved by a release that knew more, or less
                _log.warning("query.refused", query=str(row["id"]), code=refused.problem.code)
        known.matcher = Matcher(ready.values(), seen=known.seen)
        known.ready, known.versions = ready, versions
