"""Organizations and keys, made over the owner's connection."""

from datetime import timedelta
from typing import Any

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import keys, organizations
from shared.errors import Invalid, NotAuthenticated, NotFound
from shared.models import BrandDraft
from shared.models.enums import GrantRole, KeyScope
from shared.vault import hash_key
from tests.conftest import NOW, House, HouseBrand


async def test_an_organization_owns_the_brand_that_it_was_made_with(owner_db: Database, app_db: Database) -> None:
    async with owner_db.session() as session:
        made = await organizations.create(
            session, name="Dunes NV", brand=BrandDraft(name="Dunes"), user_name="Noor", now=NOW
        )
        assert made.brand is not None
        _, plain = await keys.create(
            session, organization_id=made.organization.id, user_id=made.user.id, name="k", scopes=[KeyScope.ALL],
            brand_id=None, expires_at=None, now=NOW,
        )  # fmt: skip

    async with app_db.session() as session:
        principal = await scopes.enter(session, plain)
    assert principal.brands == {made.brand.brand_id: GrantRole.OWNER}


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(owner_db: Database, brand: HouseBrand) -> None:
    async with owner_db.session() as session:
        key, plain = await keys.create(
            session, organization_id=brand.organization_id, user_id=brand.user_id, name="k", scopes=[KeyScope.READ],
            brand_id=brand.brand_id, expires_at=None, now=NOW,
        )  # fmt: skip

    assert plain.startswith("pv_")
    assert len(plain) == 46
    assert key.hash == hash_key(plain)
    assert plain not in repr(key)


async def test_a_revoked_key_opens_nothing(owner_db: Database, app_db: Database, brand: HouseBrand) -> None:
    async with owner_db.session() as session:
        (key,) = await keys.list_(session, organization_id=brand.organization_id)
        await keys.revoke(session, key_id=key.id, now=NOW)
        again = await keys.revoke(session, key_id=key.id, now=NOW + timedelta(days=1))

    assert again.revoked_at == NOW
    async with app_db.session() as session:
        with pytest.raises(NotAuthenticated):
            await scopes.enter(session, brand.api_key)


async def test_a_key_may_not_be_made_for_a_stranger_or_anothers_brand(
    owner_db: Database, house: House, brand: HouseBrand
) -> None:
    other = await house.brand("Other")
    common: dict[str, Any] = {"name": "k", "scopes": [KeyScope.READ], "expires_at": None, "now": NOW}

    async with owner_db.session() as session:
        with pytest.raises(NotFound):
            await keys.create(
                session, organization_id=brand.organization_id, user_id=other.user_id, brand_id=None, **common
            )
        with pytest.raises(NotFound):
            await keys.create(
                session, organization_id=brand.organization_id, user_id=brand.user_id, brand_id=other.brand_id, **common
            )


@pytest.mark.parametrize("days", [0, -1])
async def test_a_key_cant_end_before_it_begins(owner_db: Database, brand: HouseBrand, days: int) -> None:
    async with owner_db.session() as session:
        with pytest.raises(Invalid):
            await keys.create(
                session, organization_id=brand.organization_id, user_id=brand.user_id, name="k",
                scopes=[KeyScope.READ], brand_id=None, expires_at=NOW + timedelta(days=days), now=NOW,
            )  # fmt: skip
