"""Instagram looked at again, and what was only named fetched."""

import pytest

from shared.connectors.instagram import Instagram
from shared.contract import (
    Hidden,
    Pointer,
)
from shared.errors import Refused
from shared.models.enums import AuthorKind, MentionKind
from tests.connectors.graph_rig import (
    ACCOUNT,
    ACCOUNT_TOKEN,
    deleted,
    heard,
    rig,
    said,
    texts,
)

BRAND = ("9009", "cafe.parvis")
instagram = Instagram()


async def test_a_deleted_comment_is_found_by_looking_again() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        kept, gone = here.graph.world.remark(medium, "stays"), here.graph.world.remark(medium, "goes")
        here.graph.world.delete(gone)
        ours = here.graph.world.remark(medium, "ours", BRAND, own=True)
        arrivals = await instagram.recheck(here.http, here.account, [kept, gone, medium, ours, "aWdf.message"])
        facts = heard(instagram, here.account, arrivals)
    kinds = {fact.external_id: fact.author_kind for fact in said(facts)}
    assert kinds == {kept: AuthorKind.CONSUMER, medium: AuthorKind.BRAND, ours: AuthorKind.BRAND}
    assert deleted(facts) == {gone}
    assert texts(facts) == {"stays", "x", "ours"}
    assert [fact.hidden for fact in facts if isinstance(fact, Hidden)] == [False, False]


async def test_what_others_said_elsewhere_is_looked_for_where_the_account_heard_of_it() -> None:
    async with rig() as here:
        theirs = here.graph.world.medium(ACCOUNT, "a picture", edge="tags", username="jo_van_gent")
        spoken = here.graph.world.remark(theirs, "@cafe.parvis, you too?")
        taken_back = here.graph.world.remark(theirs, "@cafe.parvis, oops")
        here.graph.world.medium(ACCOUNT, "ours")
        here.graph.world.delete(taken_back)
        arrivals = await instagram.recheck(here.http, here.account_by_page, [theirs, spoken, taken_back])
    facts = heard(instagram, here.account_by_page, arrivals)
    assert deleted(facts) == {taken_back}
    assert texts(facts) == {"@cafe.parvis, you too?"}


async def test_nothing_is_taken_for_deleted_where_the_right_to_comments_was_taken_back() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        gone = here.graph.world.remark(medium, "goes")
        here.graph.world.delete(gone)
        here.graph.tokens[ACCOUNT_TOKEN].scopes.discard("instagram_business_manage_comments")
        with pytest.raises(Refused):
            await instagram.recheck(here.http, here.account, [gone])


async def test_a_mention_that_was_only_named_is_fetched_and_heard() -> None:
    async with rig() as here:
        theirs = here.graph.world.medium(ACCOUNT, "au @cafe.parvis !", edge="tags", username="jo_van_gent")
        comment = here.graph.world.remark(theirs, "@cafe.parvis, you too?")
        fetched = [
            await instagram.fetch(here.http, here.account, Pointer(comment, "mentioned_comment")),
            await instagram.fetch(here.http, here.account, Pointer(theirs, "mentioned_media")),
        ]
        spoken, shown = said(heard(instagram, here.account, fetched))
    assert (spoken.text, spoken.kind, spoken.parent_external_id) == (
        "@cafe.parvis, you too?",
        MentionKind.COMMENT,
        theirs,
    )
    assert (shown.text, shown.kind, shown.author_kind) == ("au @cafe.parvis !", MentionKind.POST, AuthorKind.CONSUMER)


@pytest.mark.parametrize(
    "pointer", [Pointer("1", "mentioned_media"), Pointer("1){id}", "mentioned_media"), Pointer("1", "weather")]
)
async def test_a_mention_that_is_gone_or_can_not_be_asked_for_is_refused_for_good(pointer: Pointer) -> None:
    async with rig() as here:
        with pytest.raises(Refused):
            await instagram.fetch(here.http, here.account, pointer)


async def test_counters_are_measured_and_the_unknown_is_left_out() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        comment = here.graph.world.remark(medium, "y")
        here.graph.world.things[comment].values["like_count"] = 4
        measured = await instagram.measure(here.http, here.account, [comment, medium, "404"])
    assert {fact.external_id: (fact.likes, fact.replies) for fact in measured} == {comment: (4, None), medium: (0, 1)}
