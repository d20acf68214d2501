"""Whatever is done to a post, in any order, it stays within the table, and nothing goes out that was taken back."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract import Sent
from shared.domain.publishing import posts
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.outcomes import Denied, Live, LoginDied, NotSent, NotThere, Outcome, Unknown
from shared.domain.publishing.sending.outgoing import Try
from shared.domain.publishing.transitions import BORN, TABLE, Verb
from shared.errors import Conflict, Invalid, NotAllowed, NotFound, ParvisError, Stale
from shared.models.enums import Missed, PostStatus, VariantStatus
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.agreeing import ELIF, JAN, NOOR, Table
from tests.domain.publishing.conftest import Desk

REFUSALS = (Conflict, Invalid, NotAllowed, NotFound, Stale)
# What stands before a verb in the table may still refuse it for another reason, such as a moment that is over.
PEOPLE = {
    "edit": Verb.EDIT, "submit": Verb.SUBMIT, "agree": Verb.APPROVE, "object": Verb.REQUEST_CHANGES,
    "schedule": Verb.SCHEDULE, "publish": Verb.PUBLISH, "cancel": Verb.CANCEL, "delete": Verb.DELETE,
    "hold": Verb.HOLD, "release": Verb.RELEASE,
}  # fmt: skip
ACTS = [*PEOPLE, "begin", "answer", "expire"]
ENDS = {"delete", "cancel"}
VALUES: dict[str, list[object]] = {
    "edit": ["Bonjour", "Bonsoir", "Salut"],
    "schedule": [5, 30],
    "agree": [ELIF, JAN],
    "release": list(Missed),
    "answer": ["live", "live", "denied", "away", "lost", "slow", "slow", "dead"],
}
STEPS = 24


@dataclass
class Story:
    """One post on two channels, the networks that it goes to, and what has happened so far."""

    table: Table
    policy: str
    post: Post
    now: datetime = NOW
    begun: list[Try] = field(default_factory=list)
    # How often each effect really came about, whatever was answered.
    network: Counter[object] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return self.table.desk

    async def choose(self, rng: Random) -> tuple[str, object, int]:
        """What is done next: mostly what leads on from here, now and then anything."""
        post = await self.stands()
        assert post is not None
        is_held = await self.table.is_held()
        weights = dict.fromkeys(ACTS, 0.3)
        for name, verb in PEOPLE.items():
            if verb in TABLE[post.status]:
                weights[name] = 0.3 if name in ENDS else 2.0
        weights |= {"hold": 0.1 if is_held else 0.7, "release": 2.0 if is_held else 0.1}
        weights["agree"] *= 3
        is_planned = post.status in {PostStatus.SCHEDULED, PostStatus.PUBLISHING, PostStatus.HELD}
        weights |= {
            "begin": 4.0 if is_planned else 0.5,
            "answer": 5.0 if self.begun else 0.0,
            "expire": 0.7 if self.begun else 0.0,
        }
        (name,) = rng.choices(ACTS, [weights[one] for one in ACTS])
        wait = rng.choice([0, 1, 10])
        if name == "begin" and post.scheduled_at is not None and rng.random() < 0.8:
            wait = max(0, ceil((post.scheduled_at - self.now).total_seconds() / 60))
        return name, rng.choice(VALUES.get(name, [None])), wait

    async def act(self, name: str, value: object, minutes: int) -> None:
        """Do one thing, and see that the table knows it."""
        self.now += timedelta(minutes=minutes)
        before = await self.stands()
        refused: ParvisError | None = None
        try:
            await self._does(name, value)
        except REFUSALS as error:
            refused = error
        after = await self.stands()
        self.told.append(f"{self.now:%H:%M} {name} {value}: {refused and refused.code}, {after and after.status.value}")
        verb = PEOPLE.get(name, Verb.SEND)
        assert before is not None
        if refused is not None:
            assert after is not None
            assert (after.status, after.version) == (before.status, before.version)
            if before.status in {PostStatus.PUBLISHING, PostStatus.UNCERTAIN} and verb not in TABLE[before.status]:
                assert refused.code == "already_sending"
        elif after is None:
            assert verb is Verb.DELETE
            assert verb in TABLE[before.status]
        elif name in {"hold", "release", "begin", "answer", "expire"}:
            assert after.status == before.status or after.status in TABLE[before.status][verb]
        else:
            assert after.status in TABLE[before.status][verb]

    async def _does(self, name: str, value: object) -> None:
        table, post = self.table, await self.stands() or self.post
        does: dict[str, Callable[[], Awaitable[object]]] = {
            "edit": lambda: table.edit(post, NOOR, now=self.now, text=value),
            "schedule": lambda: table.move(post, self.now + timedelta(minutes=int(str(value))), now=self.now),
            "submit": lambda: table.submit(post, now=self.now),
            "agree": lambda: table.agree(post, value, now=self.now),  # type: ignore[arg-type]
            "object": lambda: table.object(post, now=self.now),
            "publish": lambda: self.desk.publish(post, self.now),
            "cancel": lambda: self.desk.cancel(post, self.now),
            "delete": self._delete,
            "hold": lambda: table.hold(self.now),
            "release": lambda: table.release(value, self.now),  # type: ignore[arg-type]
            "begin": self._begin,
            "answer": lambda: self._answer(str(value)),
            "expire": self._expire,
        }
        await does[name]()

    async def _delete(self) -> None:
        async with self.desk.at() as (session, scope):
            await posts.delete(session, scope, self.post.id, now=self.now)

    async def _begin(self) -> None:
        post, is_held = await self.stands(), await self.table.is_held()
        agreed = await self.table.stands(post) if post is not None and self.policy != "none" else None
        for made in await self.desk.begin(await self.desk.claim(self.now), self.now):
            self.begun.append(made)
            if made.step is not Step.SEND:
                continue
            assert post is not None, "a deleted post goes out"
            assert post.status not in {PostStatus.CANCELLED, PostStatus.DRAFT, PostStatus.IN_REVIEW}
            assert made.effect.text == post.text, "what was edited away goes out"
            assert not is_held, "what is held goes out"
            assert post.scheduled_at is None or post.scheduled_at <= self.now, "it goes out before its moment"
            assert agreed is None or agreed.waits_for is None, "what nobody agreed to goes out"

    async def _answer(self, kind: str) -> None:
        """The network answers the oldest attempt that it was asked for; what it says need not be what it did."""
        if not self.begun:
            return
        made = self.begun.pop(0)
        effect = made.claim.outgoing_id
        outcome: Outcome
        if made.step is Step.FIND:
            outcome = Live(Sent(f"outside {effect}")) if self.network[effect] else NotThere()
        elif kind in {"live", "slow"}:
            self.network[effect] += 1
            outcome = Live(Sent(f"outside {effect}")) if kind == "live" else Unknown("no answer")
        else:
            answers: dict[str, Outcome] = {
                "denied": Denied("no"), "away": NotSent("away"), "lost": Unknown("no answer"), "dead": LoginDied("no"),
            }  # fmt: skip
            outcome = answers[kind]
        if await self.stands() is not None:
            await self.desk.settle(made, outcome, self.now)

    async def _expire(self) -> None:
        for made in self.begun:
            await self.desk.expire(made.claim.outgoing_id)

    async def stands(self) -> Post | None:
        """The post as it is now; None once it is deleted."""
        try:
            return await self.desk.post(self.post)
        except NotFound:
            return None

    async def end(self) -> None:
        """No form of the post came about twice, and each that is out is known to be, or not known."""
        by_variant: Counter[object] = Counter()
        for effect in await self.desk.outgoing(self.post):
            by_variant[effect.variant_id] += self.network[effect.id]
        assert all(times <= 1 for times in by_variant.values()), "a form of the post came about twice"
        known = {VariantStatus.PUBLISHED, VariantStatus.PUBLISHING, VariantStatus.UNCERTAIN}
        for variant in await self.desk.variants(self.post):
            assert not by_variant[variant.id] or variant.status in known, "\n".join(self.told)


@pytest.mark.parametrize("policy", ["none", "two"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_history_stays_within_the_table(desk: Desk, policy: str, seed: int) -> None:
    rng = Random(seed)
    own = Desk(desk.app, desk.worker, desk.house, await desk.house.brand(), desk.vault)
    table = Table(own)
    await table.wants(policy)
    at = NOW + timedelta(minutes=30) if rng.random() < 0.7 else None
    story = Story(table, policy, await table.write(await own.channel(), await own.channel(), at=at))
    assert story.post.status in BORN

    for _ in range(STEPS):
        await story.act(*await story.choose(rng))
        if await story.stands() is None:
            break

    await story.end()


def test_the_table_speaks_of_every_status_and_every_verb() -> None:
    assert set(TABLE) == set(PostStatus)
    assert {verb for verbs in TABLE.values() for verb in verbs} == set(Verb)


def test_every_status_can_be_reached_and_none_but_the_ends_is_a_dead_end() -> None:
    reached = set(BORN) | {to for verbs in TABLE.values() for found in verbs.values() for to in found}
    assert reached == set(PostStatus)
    people = {verb for verb in Verb if verb not in {Verb.SEND, Verb.HOLD, Verb.RELEASE}}
    stuck = {status for status, verbs in TABLE.items() if not people.intersection(verbs)}
    assert stuck == {PostStatus.PUBLISHED, PostStatus.UNCERTAIN}
