"""A mention's versions, a page at a time."""

from shared.db import Session
from shared.domain.listening import mentions
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.models.mention import Edit, Mention

_KIND = "history"


async def page_of(
    session: Session, scope: Scope, mention: Mention, *, page: PageRequest, cursors: Cursors
) -> Page[Edit]:
    """A page of a mention's versions, in their order. A cursor names the version that it comes after."""
    versions = (await mentions.history(session, scope, [mention]))[mention.key]
    bound, start = str(mention.key), 0
    if page.cursor is not None:
        told = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        start = next((n + 1 for n, version in enumerate(versions) if _name(version) == told), len(versions))
    found = versions[start : start + page.limit + 1]
    return Page.cut(found, page.limit, lambda version: cursors.encode(scope.brand_id, _KIND, bound, _name(version)))


def _name(version: Edit) -> list[str | None]:
    """What tells a version from the others of its mention."""
    return [version.edited_at.isoformat() if version.edited_at is not None else None, version.digest.hex()]
