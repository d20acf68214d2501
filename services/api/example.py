"""The example brand as its own key sees it, for the start page: only while PARVIS_EXAMPLE=1, and `parvis up` keeps
local.json."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from services.api.auth import authenticate
from services.api.context import Services
from shared.connectors.registry import CARDS
from shared.db import Session, is_passing
from shared.domain import scope as scopes
from shared.domain.brands import brands, channels
from shared.domain.insight.charting import charts
from shared.domain.insight.charting.charts import Ask, Chart
from shared.domain.insight.charting.look import ChartName, Look
from shared.domain.insight.rollups import day_of
from shared.domain.listening import identities, mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import PageRequest
from shared.domain.scope import Scope
from shared.errors import ParvisError
from shared.ids import Prefix, parse_typeid
from shared.models.enums import Interval, Visibility
from shared.models.mention import Identity, Mention

T = TypeVar("T")

_SHOWN = 8
_DAYS = 13  # before today
_BEFORE = 3  # days: what the example says on its first day was said since then
PUBLIC = MentionFilter(visibility=Visibility.PUBLIC)


@dataclass(frozen=True, slots=True)
class Example:
    """What the start page shows: each mention with its author and its channel's name, and what the chart says."""

    brand: str
    said: list[tuple[Mention, Identity | None, str]]
    chart: str


async def told(services: Services) -> dict[str, Any]:
    """What `parvis up` wrote into local.json; nothing where there is no such file."""
    return await asyncio.to_thread(_read, services.settings.data_dir / "local.json")


async def find(services: Services, local: dict[str, Any]) -> Example | None:
    """The example; None where it is not to be shown, or can't be read now."""

    async def read(session: Session, scope: Scope) -> Example:
        found = await mentions.search(session, scope, where=PUBLIC, page=PageRequest(_SHOWN), cursors=services.cursors)
        spoken = {mention.author_id for mention in found.items if mention.author_id is not None}
        authors = await identities.by_ids(session, scope, spoken)
        named = await channels.by_ids(session, scope, {mention.channel_id for mention in found.items})
        said = [
            (mention, authors.get(mention.author_id) if mention.author_id else None, named[mention.channel_id].name)
            for mention in found.items
        ]
        chart = await _chart(services, session, scope, Look())
        return Example((await brands.get(session, scope)).name, said, chart.description)

    return await _reading(services, local, read)


async def chart(services: Services, local: dict[str, Any], look: Look) -> Chart | None:
    """Volume and mood of the example's last days; None as above."""

    async def read(session: Session, scope: Scope) -> Chart:
        return await _chart(services, session, scope, look)

    return await _reading(services, local, read)


async def _chart(services: Services, session: Session, scope: Scope, look: Look) -> Chart:
    now = services.clock()
    brand = await brands.get(session, scope)
    # From noon, a day is never missed nor counted twice where the clocks change.
    noon = day_of(now, brand.zone) + timedelta(hours=12)
    days = min(_DAYS, (now - brand.created_at).days + _BEFORE)
    since, until = day_of(noon - timedelta(days=days), brand.zone), day_of(noon + timedelta(days=1), brand.zone)
    ask = Ask(ChartName.SENTIMENT, since, until, Interval.DAY, where=PUBLIC)
    return await charts.chart(session, scope, ask=ask, look=look, cards=CARDS, now=now)


async def _reading(
    services: Services, local: dict[str, Any], read: Callable[[Session, Scope], Awaitable[T]]
) -> T | None:
    if not services.settings.example:
        return None
    try:
        brand_id = parse_typeid(Prefix.BRAND, str(local.get("brand_id")))
        async with services.db.reading() as session:
            principal = await authenticate(session, f"Bearer {local.get('api_key')}")
            return await read(session, await scopes.open_brand(session, principal, brand_id))
    except ParvisError:
        return None
    except Exception as error:
        if is_passing(error):
            return None
        raise


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
