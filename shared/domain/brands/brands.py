"""The brands that a principal may see, and their settings."""

from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import SQLModel

from shared.db import Session, driver
from shared.domain.brands import audit
from shared.domain.insight import reads, rollups, voices
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Principal, Scope, see
from shared.errors import Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.brand import Brand, BrandDraft
from shared.models.enums import ApprovalPolicy, GrantRole, KeyScope, MissedPolicy

_KIND = "brands"


class BrandChanges(SQLModel):
    """What may change of a brand; what is not set stays."""

    name: str | None = None
    languages: list[str] | None = None
    timezone: str | None = None
    missed: MissedPolicy | None = None
    grace_seconds: int | None = None
    approval: ApprovalPolicy | None = None
    client_approval: bool | None = None
    approval_reminder_hours: int | None = None
    approval_last_call_hours: int | None = None
    learns: bool | None = None


async def get(session: Session, scope: Scope) -> Brand:
    """The brand of the scope."""
    brand = await session.get(Brand, scope.brand_id)
    if brand is None:
        raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, scope.brand_id)!r}")
    return brand


async def languages(session: Session, brand_id: UUID) -> tuple[str, ...]:
    """The languages that the brand mostly hears; none where the brand is gone."""
    found = await (await driver(session)).fetchval("SELECT languages FROM brand WHERE brand_id = $1", brand_id)
    return tuple(found or ())


async def list_(session: Session, principal: Principal, *, page: PageRequest, cursors: Cursors) -> Page[Brand]:
    """The principal's brands, newest first. Afterwards this transaction sees exactly the brands of the page.

    Grants are read before any brand is, so a page costs the same for ten brands and for ten thousand.
    """
    ids = sorted(principal.brands, reverse=True)
    if page.cursor is not None:
        last = UUID(cursors.decode(principal.organization_id, _KIND, "", page.cursor)[0])
        ids = [brand_id for brand_id in ids if brand_id < last]
    ids = ids[: page.limit + 1]
    await see(session, ids[: page.limit])
    query = select(Brand).where(Brand.brand_id.in_(ids[: page.limit])).order_by(Brand.brand_id.desc())  # type: ignore[attr-defined]
    rows = list((await session.execute(query)).scalars())
    return Page(
        rows,
        len(ids) > page.limit,
        lambda brand: cursors.encode(principal.organization_id, _KIND, "", [str(brand.brand_id)]),
    )


async def update(session: Session, scope: Scope, *, changes: BrandChanges, if_version: int | None = None) -> Brand:
    """Change the brand's settings. Raises Invalid, and Stale where `if_version` is not the brand's own."""
    scope.require(KeyScope.ADMIN, GrantRole.MANAGER)
    brand = await session.get(Brand, scope.brand_id, with_for_update=True)
    if brand is None:
        raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, scope.brand_id)!r}")
    if if_version is not None and brand.version != if_version:
        raise Stale("the brand has changed since you read it; read it again")
    given = changes.model_dump(exclude_unset=True)
    before = {name: getattr(brand, name) for name in BrandDraft.model_fields}
    draft = _draft({**before, **given})
    changed = {name: value for name, value in draft.model_dump().items() if value != before[name]}
    if not changed:
        return brand
    for name, value in changed.items():
        setattr(brand, name, value)
    brand.version += 1
    await session.flush()
    if "timezone" in changed:
        # Days begin elsewhere now. The brand's row is held, so nothing is recorded in between.
        await rollups.rebuild(session, brand.brand_id, brand.zone)
        await voices.rebuild(session, brand.brand_id, brand.zone)
        await reads.rebuild(session, brand.brand_id, brand.zone)
    await audit.add(session, scope, "brand.update", typeid(Prefix.BRAND, brand.brand_id), {"changed": sorted(changed)})
    return brand


def _draft(values: dict[str, object]) -> BrandDraft:
    try:
        return BrandDraft.model_validate(values)
    except ValidationError as error:
        raise Invalid(
            [
                Problem("invalid", found["msg"].removeprefix("Value error, "), tuple(found["loc"]))
                for found in error.errors()
            ]
        ) from None
