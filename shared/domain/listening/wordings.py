"""The wordings of a brand as they are stored, behind functions: see decision 0031."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from shared.analysis import fingerprint
from shared.db import Session, driver
from shared.domain.listening.families import Wording

MOST_LEADERS = 500  # that share a band with a text: so many, in their order, are compared with it


@dataclass(frozen=True, slots=True)
class Stored:
    """What `families` asks for."""

    session: Session
    brand_id: UUID

    async def leading(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        """The leaders that share a band with a row of these, at most 500 a row."""
        return await self._found("SELECT * FROM parvis.leading_wordings($1, $2, $3)", self._salted(bands), MOST_LEADERS)

    async def following(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        """The others that do."""
        return await self._found("SELECT * FROM parvis.following_wordings($1, $2)", self._salted(bands))

    async def followers(self, leaders: Collection[UUID]) -> Sequence[Wording]:
        """Those that follow one of these."""
        return await self._found("SELECT * FROM parvis.wordings_behind($1, $2)", list(leaders))

    async def use(self, more: Mapping[UUID, int]) -> Sequence[Wording]:
        """So many mentions more, or less, are worded so. The wordings as they are now, without the new ones."""
        wordings = sorted(more)
        return await self._found(
            "SELECT * FROM parvis.use_wordings($1, $2, $3)", wordings, [more[one] for one in wordings]
        )

    async def put(self, wordings: Sequence[Wording]) -> None:
        """Keep new wordings, and where the others stand now."""
        if not wordings:
            return
        signatures = np.stack([one.signature for one in wordings])
        await (await driver(self.session)).execute(
            "SELECT parvis.index_wordings($1, $2, $3, $4, $5, $6, $7)",
            self.brand_id,
            [one.id for one in wordings],
            [one.leader for one in wordings],
            [one.cluster for one in wordings],
            [one.uses for one in wordings],
            [one.astype("<u4").tobytes() for one in signatures],
            self._salted(fingerprint.bands(signatures)),
        )

    async def forget(self, wordings: Sequence[Wording]) -> None:
        """Nothing is worded so any more."""
        if wordings:
            await (await driver(self.session)).execute(
                "SELECT parvis.forget_wordings($1, $2)", self.brand_id, [one.id for one in wordings]
            )

    def _salted(self, bands: fingerprint.Bands) -> list[int]:
        """Bands as they are stored: no two brands have them in common."""
        salt = np.frombuffer(self.brand_id.bytes, dtype=">i8").astype(np.int64)
        salted: list[int] = (bands ^ salt[0] ^ salt[1]).ravel().tolist()
        return salted

    async def _found(self, statement: str, *asked: Any) -> list[Wording]:
        rows = await (await driver(self.session)).fetch(statement, self.brand_id, *asked)
        return [
            Wording(id_, np.frombuffer(signature, dtype="<u4").astype(np.uint32), uses, leader, cluster)
            for id_, leader, cluster, uses, signature in rows
        ]
