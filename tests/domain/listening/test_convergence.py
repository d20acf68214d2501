"""Whatever was heard, in any order, split and repeated in any way, the end is the same, and the sums agree with it."""

import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract import Author, Counted, Deleted, Heard, Hidden, MediaDraft, Reacted, Said
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import rollups, voices
from shared.domain.listening import recall_pages, recalls, renames
from shared.domain.listening.ears import Ears
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening.test_matches import saved
from tests.domain.listening.test_record import T0, at, hear, state_on

Eyes: TypeAlias = "asyncpg.Connection[Any]"
Told = tuple[list[Heard], list[list[Heard]]]

# One query of each kind, and some that ask for an author beside something else.
_QUERIES = ("good OR hello", "author:x", "author:lea OR why", "bad -author:y", "author:l?a -good", "lang:fr",
    "lang:nl merci", "sentiment:negative", "reach>100", "reach>10 author:tom", "kind:review",
)  # fmt: skip
_TABLES = ("match", "rollup_query_day", "due_operation", "operation", "mention", "identity", "thread", "edit",
    "reaction", "rollup_day", "rollup_hour", "mention_search", "mention_bands", "event",
)  # fmt: skip
_IDS = st.sampled_from(["a", "b", "c", "d"])
_STAMPS = st.sampled_from([at(0), at(1), at(2)])  # few, so that many facts meet at one moment
_PEOPLE = st.sampled_from(["lea", "tom"])

_AUTHORS = st.builds(
    Author,
    _PEOPLE,
    handle=st.sampled_from([None, "@x", "@y"]),
    name=st.sampled_from([None, "Lea", "Léa", "Tom"]),
    followers=st.sampled_from([None, 0, 12, 900]),
)
_SAID = st.builds(
    Said,
    _IDS,
    kind=st.sampled_from([MentionKind.POST, MentionKind.COMMENT, MentionKind.REVIEW]),
    stamp=_STAMPS,
    text=st.sampled_from([None, "", "good", "bad why", "merci"]),
    author=st.none() | _AUTHORS,
    author_kind=st.sampled_from([AuthorKind.UNKNOWN, AuthorKind.BRAND, AuthorKind.CONSUMER]),
    published_at=st.sampled_from([None, None, at(-60), at(-60 * 11), at(600)]),
    edited_at=st.sampled_from([None, None, at(1), at(2)]),
    url=st.sampled_from([None, "https://x.test/1", "https://x.test/2"]),
    parent_external_id=st.none() | st.sampled_from(["a", "b", "c", "d", "never heard"]),
    language=st.sampled_from([None, "fr", "nl"]),
    rating=st.sampled_from([None, 4.0]),
    media=st.sampled_from([(), (MediaDraft("https://x.test/i", "image"),)]),
    visibility=st.sampled_from([Visibility.PUBLIC, Visibility.PRIVATE]),
)
_COUNTERS = st.sampled_from([None, 0, 3])
_OTHER = st.one_of(
    st.builds(Deleted, _IDS, _STAMPS),
    st.builds(Hidden, _IDS, st.booleans(), _STAMPS),
    st.builds(Counted, _IDS, _STAMPS, likes=_COUNTERS, replies=_COUNTERS, views=_COUNTERS),
    st.builds(Reacted, _IDS, _PEOPLE, st.sampled_from(["like", "love"]), st.booleans(), _STAMPS),
)
_HISTORY = st.lists(st.one_of(_SAID, _SAID, _SAID, _OTHER), min_size=2, max_size=12)
# Only who answered whom: what moves threads about, with nothing else in the way.
_ANSWERS = st.lists(
    st.builds(
        Said,
        st.sampled_from("abcde"),
        kind=st.just(MentionKind.COMMENT),
        stamp=_STAMPS,
        text=st.just("hello"),
        published_at=st.sampled_from([at(-1), at(-2), at(-3)]),
        parent_external_id=st.none() | st.sampled_from("abcde"),
    ),
    min_size=2,
    max_size=14,
)
# Only people who say something and are called otherwise.
_SPOKEN = st.lists(
    st.builds(
        Said,
        st.sampled_from("abcdef"),
        kind=st.just(MentionKind.COMMENT),
        stamp=_STAMPS,
        text=st.sampled_from(["good", "bad why"]),
        published_at=st.sampled_from([None, at(-1), at(-2), at(-60 * 30)]),
        author=_AUTHORS,
    ),
    min_size=2,
    max_size=12,
)


@st.composite
def _told_twice(draw: st.DrawFn, history: st.SearchStrategy[list[Any]]) -> Told:
    """A history, and the same in another order, with repetitions, cut into batches."""
    heard = draw(history)
    again = draw(st.permutations([*heard, *draw(st.lists(st.sampled_from(heard), max_size=3))]))
    sizes = draw(st.lists(st.integers(1, 5), min_size=len(again), max_size=len(again)))
    rest = iter(again)
    batches = [batch for size in sizes if (batch := list(itertools.islice(rest, size)))]
    return heard, batches


@pytest.fixture
async def channel(house: House, brand: HouseBrand, worker_db: Database) -> HouseChannel:
    for expression in _QUERIES:
        await saved(worker_db, brand, expression)
    return await house.channel(brand)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a renamed author's mentions one is asked at once, and the others in the background, one by one."""
    monkeypatch.setattr(renames, "AT_ONCE", 1)
    monkeypatch.setattr(recalls, "_PAGE", 1)


@pytest.fixture
async def eyes(database: TestDatabase) -> AsyncIterator[Eyes]:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("SET synchronous_commit = off")
    yield connection
    await connection.close()


async def _told(db: Database, eyes: Eyes, channel: HouseChannel, batches: Sequence[Sequence[Heard]]) -> list[Any]:
    """What a reader sees in an empty brand that was told these batches, once what goes on in the background is through;
    its sums are right."""
    await eyes.execute(";".join(f'DELETE FROM "{table}"' for table in _TABLES))
    ears = Ears()
    for batch in batches:
        await hear(db, channel, *batch, ears=ears)
        await _recall(db, eyes, channel, pages=1)
    await _recall(db, eyes, channel)
    async with db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        span = (session, channel.brand.brand_id, ZoneInfo("Europe/Brussels"), at(-60 * 24 * 30), at(60 * 48))
        wrong = [*await rollups.recount(*span), *await voices.recount(*span)]
    assert wrong == []
    return [*await state_on(eyes), *await _matched(eyes)]


async def _recall(db: Database, eyes: Eyes, channel: HouseChannel, *, pages: int | None = None) -> None:
    """Let every recall that is under way do so many pages, or all."""
    due = await eyes.fetch("SELECT operation_id FROM due_operation WHERE lane = $1 ORDER BY 1", recall_pages.LANE)
    for row in due:
        for _ in itertools.count() if pages is None else range(pages):
            async with db.session() as session:
                scope = await scopes.house(session, channel.brand.brand_id)
                if await recalls.go_on(session, scope, row["operation_id"], now=T0) is None:
                    break


async def _matched(eyes: Eyes) -> list[Any]:
    """What the queries match and where, and the sums of it."""
    found = await eyes.fetch(
        "SELECT q.expression, m.external_id, x.version, x.spans FROM match x"
        " JOIN saved_query q ON q.brand_id = x.brand_id AND q.id = x.query_id"
        " JOIN mention m ON m.brand_id = x.brand_id AND m.id = x.mention_id ORDER BY 1, 2"
    )
    sums = await eyes.fetch(
        "SELECT coalesce(q.expression, 'any'), r.day, r.mentions, r.posts, r.positive, r.neutral, r.negative"
        " FROM rollup_query_day r LEFT JOIN saved_query q ON q.brand_id = r.brand_id AND q.id = r.query_id"
        " WHERE r.mentions <> 0 OR r.posts <> 0 ORDER BY 1, 2"
    )
    return [[tuple(row) for row in rows] for rows in (found, sums)]


async def _converges(told: Told, db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    heard, batches = told
    expected = await _told(db, eyes, channel, [heard])
    for now, then in zip(await _told(db, eyes, channel, batches), expected, strict=True):
        assert now == then


def _answer(id_: str, parent: str | None, *, stamp: float = 0) -> Said:
    return Said(id_, MentionKind.COMMENT, at(stamp), text="hello", published_at=at(-60), parent_external_id=parent)


def _about(id_: str = "a", *, stamp: float = 0, **more: Any) -> Said:
    return Said(id_, MentionKind.COMMENT, at(stamp), text="hello", published_at=at(-60), **more)


_A, _C, _D, _G, _P, _X, _Y, _Z = "acdgpxyz"
# Each in its own order, one by one, against all at once: what a random search seldom meets.
NAMED: dict[str, list[Heard]] = {
    "a circle is broken by an edit": [_answer(_X, _Y), _answer(_Y, _X), _answer(_Y, _Z, stamp=2)],
    "a circle is broken from its other side": [_answer(_Y, _X), _answer(_X, _Y), _answer(_X, _Z, stamp=2)],
    "a circle's root is answered before it is closed": [
        _answer(_A, _C), _answer(_D, _A), _answer(_C, _D), _answer(_A, _Z, stamp=1), _answer(_Z, None),
    ],
    "an answer comes to answer its own answer": [
        _answer(_P, None), _answer(_C, _P), _answer(_G, _C), _answer(_C, _G, stamp=2),
    ],
    "a subtree moves to another thread": [
        _answer(_P, None), _answer(_C, _P), _answer(_G, _C), _answer(_X, None), _answer(_C, _X, stamp=2),
    ],
    "a root finds its parent, then another": [
        _answer(_G, _C), _answer(_C, _P), _answer(_C, _X, stamp=2), _answer(_X, None), _answer(_P, None),
    ],
    "two circles become one": [
        _answer(_A, _C), _answer(_C, _A), _answer(_X, _Y), _answer(_Y, _X), _answer(_A, _X, stamp=1),
        _answer(_X, _A, stamp=1),
    ],
    "two authors at one moment": [
        _about(author=Author("lea")), _about(author=Author("tom")), _about(author=Author("eva")),
        _about(author=Author("ann")),
    ],
    "two authors at one moment, the other way": [
        _about(author=Author("ann")), _about(author=Author("eva")), _about(author=Author("tom")),
        _about(author=Author("lea")),
    ],
    "followers told late, once not, and again": [
        _about(author=Author("lea", followers=900), stamp=1), _about(author=Author("lea"), stamp=2),
        _about(author=Author("lea", followers=12)), Counted(_A, at(1), likes=3), Counted(_A, at(0), views=40),
    ],
    "two languages at one moment": [_about(language="nl"), _about(language="fr"), _about()],
    "a language that one delivery leaves out": [_about(language="nl"), _about(stamp=1), _about(language="fr")],
    "a text's language that another delivery says": [
        _about(), Said(_A, MentionKind.COMMENT, at(1), text="bad why", edited_at=at(1)), _about(stamp=2, language="nl"),
    ],
    "a mood that is edited, then deleted": [
        _about(), Said(_A, MentionKind.COMMENT, at(1), text="bad", edited_at=at(1)), Deleted(_A, at(2)),
    ],
    "a text that is taken back": [_about(), Said(_A, MentionKind.COMMENT, at(1), text="", edited_at=at(1))],
    "an edited kind counts under its day": [
        _about(), Said(_A, MentionKind.POST, at(1), text="hello", author_kind=AuthorKind.BRAND),
    ],
    "an author is renamed after what they said": [
        _about(author=Author("lea", "@x")), _about(_C, author=Author("lea", "@x")),
        _about(_D, stamp=1, author=Author("lea", "@y", "Tom", followers=12)),
    ],
    "an author is renamed there and back": [
        _about(author=Author("lea", "@x", "Lea")), _about(_C, stamp=1, author=Author("lea", "@z", "Tom")),
        _about(_D, stamp=2, author=Author("lea", "@x", "Lea")),
    ],
    "a renamed author's words are edited and deleted": [
        _about(author=Author("lea", "@x")), _about(_C, stamp=1, author=Author("lea", "@y")),
        Said(_A, MentionKind.COMMENT, at(2), text="bad", edited_at=at(2), author=Author("lea")), Deleted(_C, at(2)),
    ],
    "what an author says is another's, who is renamed": [
        _about(author=Author("ann", "@x")), _about(stamp=1, author=Author("tom", "@y")),
        _about(_C, stamp=2, author=Author("tom", "@x")), _about(_D, stamp=2, author=Author("ann", "@y")),
    ],
    "a renamed author's words stand at another time": [
        _about(author=Author("lea", "@x")), _about(_C, author=Author("lea", "@x")),
        _about(_D, stamp=1, author=Author("lea", "@y")),
        Said(_A, MentionKind.COMMENT, at(2), text="hello", published_at=at(-60 * 30)),
        Said(_C, MentionKind.COMMENT, at(2), text="hello", published_at=at(-30)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
async def test_a_known_history_converges(name: str, worker_db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    await _converges_in_each_order(NAMED[name], worker_db, eyes, channel)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("name", [name for name in NAMED if "renamed" in name])
async def test_a_known_history_converges_in_the_background(
    name: str, worker_db: Database, eyes: Eyes, channel: HouseChannel
) -> None:
    await _converges_in_each_order(NAMED[name], worker_db, eyes, channel)


async def _converges_in_each_order(
    history: list[Heard], worker_db: Database, eyes: Eyes, channel: HouseChannel
) -> None:
    expected = await _told(worker_db, eyes, channel, [history])
    for order in (history, history[::-1], [*history[1:], history[0]]):
        for now, then in zip(await _told(worker_db, eyes, channel, [[one] for one in order]), expected, strict=True):
            assert now == then


def _examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@_examples(60)
@given(told=_told_twice(_HISTORY))
async def test_any_history_converges(told: Told, worker_db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    await _converges(told, worker_db, eyes, channel)


@_examples(60)
@given(told=_told_twice(_ANSWERS))
async def test_any_answers_converge(told: Told, worker_db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    await _converges(told, worker_db, eyes, channel)


@_examples(60)
@given(told=_told_twice(_SPOKEN))
async def test_any_renames_converge(told: Told, worker_db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    await _converges(told, worker_db, eyes, channel)


@pytest.mark.usefixtures("few_at_once")
@_examples(60)
@given(told=_told_twice(_SPOKEN))
async def test_any_renames_converge_in_the_background(
    told: Told, worker_db: Database, eyes: Eyes, channel: HouseChannel
) -> None:
    await _converges(told, worker_db, eyes, channel)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@_examples(1500)
@given(told=st.one_of(_told_twice(_HISTORY), _told_twice(_ANSWERS), _told_twice(_SPOKEN)))
async def test_many_histories_converge(told: Told, worker_db: Database, eyes: Eyes, channel: HouseChannel) -> None:
    await _converges(told, worker_db, eyes, channel)
