"""The people of an organization."""

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import keys, users
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import new_uuid
from shared.models.enums import GrantRole, KeyScope
from shared.models.organization import User, UserDraft
from tests.conftest import NOW, HouseBrand


async def added(db: Database, brand: HouseBrand, **more: str) -> User:
    async with db.session() as session:
        draft = UserDraft(name="Ann", **more)
        return await users.create(session, organization_id=brand.organization_id, draft=draft, now=NOW)


async def test_a_new_person_acts_by_a_key_of_their_own_as_their_organization_may(
    owner_db: Database, app_db: Database, brand: HouseBrand
) -> None:
    made = await added(owner_db, brand, email="ann@example.org", language="nl")
    async with owner_db.session() as session:
        _, plain = await keys.create(
            session, organization_id=brand.organization_id, user_id=made.id, name="k", scopes=[KeyScope.ALL],
            brand_id=None, expires_at=None, now=NOW,
        )  # fmt: skip

    async with app_db.session() as session:
        principal = await scopes.enter(session, plain)
    assert (principal.user_id, principal.brands) == (made.id, {brand.brand_id: GrantRole.OWNER})


async def test_the_people_of_an_organization_are_listed_the_first_first(owner_db: Database, brand: HouseBrand) -> None:
    made = await added(owner_db, brand)
    async with owner_db.session() as session:
        listed = await users.list_(session, organization_id=brand.organization_id)
    assert [one.id for one in listed] == [brand.user_id, made.id]


async def test_an_address_is_given_and_taken_away_again(owner_db: Database, brand: HouseBrand) -> None:
    made = await added(owner_db, brand)
    found = []
    for email in ("ann@example.org", None):
        async with owner_db.session() as session:
            found.append((await users.update(session, user_id=made.id, changes={"email": email})).email)
    assert found == ["ann@example.org", None]


async def test_an_address_is_one_users_in_any_case(owner_db: Database, brand: HouseBrand) -> None:
    await added(owner_db, brand, email="ann@example.org")
    with pytest.raises(Conflict):
        await added(owner_db, brand, email="Ann@Example.org")


@pytest.mark.parametrize("email", ["ann", "@example.org", "ann@", "a nn@example.org", "ann@example.org\nBcc: x"])
async def test_what_is_no_address_is_refused(owner_db: Database, brand: HouseBrand, email: str) -> None:
    with pytest.raises(Invalid):
        await added(owner_db, brand, email=email)


async def test_an_organization_or_a_user_that_is_not_there_is_not_found(owner_db: Database) -> None:
    async with owner_db.session() as session:
        with pytest.raises(NotFound):
            await users.create(session, organization_id=new_uuid(), draft=UserDraft(name="Ann"), now=NOW)
        with pytest.raises(NotFound):
            await users.update(session, user_id=new_uuid(), changes={"name": "Bob"})
