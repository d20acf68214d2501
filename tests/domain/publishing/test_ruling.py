"""A brand's rule of approval is lowered: what lacks nobody's word any more goes its way."""

from typing import Any

import pytest

from shared.connectors.registry import CARDS
from shared.domain.brands.brands import BrandChanges
from shared.domain.publishing.agreeing import ruling
from shared.models.enums import PostStatus
from tests.conftest import NOW
from tests.domain.publishing.agreeing import ELIF, Table
from tests.domain.publishing.conftest import LATER, Desk


@pytest.fixture
def table(desk: Desk) -> Table:
    return Table(desk)


async def lower(table: Table, **changes: Any) -> None:
    async with table.by(ELIF) as (session, scope):
        wanted = BrandChanges.model_validate(changes)
        await ruling.change_brand(session, scope, changes=wanted, cards=CARDS, now=NOW)


async def test_where_nobody_must_agree_any_more_what_waits_goes_out_at_its_time(table: Table, desk: Desk) -> None:
    await table.wants("two", client=True)
    post = await table.write(await desk.channel())
    await lower(table, approval="none", client_approval=False)
    assert (await desk.post(post)).status is PostStatus.SCHEDULED
    assert len(await desk.claim(LATER)) == 1


async def test_where_fewer_must_agree_only_what_lacks_no_word_goes_its_way(table: Table, desk: Desk) -> None:
    await table.wants("two")
    channel = await desk.channel()
    agreed, unseen = await table.agree(await table.write(channel)), await table.write(channel)
    await lower(table, approval="one")
    assert (await desk.post(agreed)).status is PostStatus.SCHEDULED
    assert (await desk.post(unseen)).status is PostStatus.IN_REVIEW


async def test_what_was_submitted_without_a_time_still_waits_for_one_person(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.submit(await table.write(await desk.channel(), at=None))
    await lower(table, approval="none")
    assert (await desk.post(post)).status is PostStatus.IN_REVIEW
    assert (await table.agree(await desk.post(post))).status is PostStatus.APPROVED


async def test_another_setting_lets_nothing_go(table: Table, desk: Desk) -> None:
    await table.wants("one")
    other = await table.write(await desk.channel())
    await lower(table, grace_seconds=60)
    assert (await desk.post(other)).status is PostStatus.IN_REVIEW
