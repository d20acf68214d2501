"""What is not known to have failed is looked up, never repeated."""

from datetime import UTC, datetime, timedelta

from shared.contract import Certainty, Prepared, Sent
from shared.domain.publishing.sending import attempts
from shared.domain.publishing.sending.attempts import Next, Pace, Result, Step
from shared.domain.publishing.sending.outcomes import (
    Denied,
    Live,
    LoginDied,
    NotReady,
    NotSent,
    NotThere,
    Outcome,
    Ready,
    SlowDown,
    Unknown,
)
from shared.ids import new_uuid
from shared.models.enums import OutgoingState
from shared.models.post import Attempt

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PACE = Pace(
    first=timedelta(seconds=10),
    longest=timedelta(seconds=3600),
    times=3,
    lease=timedelta(seconds=60),
    doubt=timedelta(seconds=30),
)


class Story:
    """Attempts as they happen; `at` is the time of the last thing, `to_prepare` whether something is still to be laid
    ready."""

    def __init__(self, certainty: Certainty = Certainty.LOOKED_UP, *, to_prepare: bool = False) -> None:
        self.tried: list[Attempt] = []
        self.at = START
        self.certainty, self.to_prepare = certainty, to_prepare

    def next(self) -> Step:
        return attempts.next_step(self.tried, self.certainty, to_prepare=self.to_prepare)

    def begins(self, after: float = 0) -> Attempt:
        self.at += timedelta(seconds=after)
        attempt = Attempt(
            brand_id=new_uuid(), outgoing_id=new_uuid(), number=len(self.tried) + 1, fence=1, started_at=self.at,
            step=self.next(),
        )  # fmt: skip
        self.tried.append(attempt)
        return attempt

    def ends(self, outcome: Outcome, due_at: datetime = START) -> Next:
        current = self.tried[-1]
        then = attempts.after(
            outcome, current, self.tried[:-1], pace=PACE, certainty=self.certainty, due_at=due_at, now=self.at
        )
        current.outcome = then.result
        return then

    def tries(self, outcome: Outcome, after: float = 0, due_at: datetime = START) -> Next:
        self.begins(after)
        return self.ends(outcome, due_at)


def seconds(then: Next, story: Story) -> float:
    assert then.due_at is not None
    return (then.due_at - story.at).total_seconds()


def test_the_first_step_is_to_send() -> None:
    assert Story().next() is Step.SEND


def test_what_is_live_is_done() -> None:
    assert Story().tries(Live(Sent("1"))) == Next(Result.LIVE, OutgoingState.LIVE)


def test_a_refusal_is_final() -> None:
    then = Story().tries(Denied("too long"))
    assert (then.state, then.due_at) == (OutgoingState.REFUSED, None)


def test_what_was_not_sent_is_sent_again_with_doubling_waits_and_then_given_up() -> None:
    story = Story()
    waits = [seconds(story.tries(NotSent("away"), 60), story) for _ in range(3)]
    assert waits == [10, 20, 40]
    assert story.next() is Step.SEND
    assert story.tries(NotSent("away"), 60).state is OutgoingState.REFUSED


def test_a_rate_limit_waits_as_asked_and_is_never_given_up_for() -> None:
    story = Story()
    for _ in range(10):
        then = story.tries(SlowDown("slow", timedelta(seconds=33)), 60)
        assert (then.state, seconds(then, story)) == (OutgoingState.RETRYING, 33)
    assert story.next() is Step.SEND


def test_a_dead_login_holds_it() -> None:
    then = Story().tries(LoginDied("expired"))
    assert (then.state, then.held) == (OutgoingState.RETRYING, True)


def test_after_an_unknown_outcome_it_is_looked_up_at_once() -> None:
    story = Story()
    then = story.tries(Unknown("500"))
    assert (then.state, seconds(then, story)) == (OutgoingState.SENDING, 0)
    assert story.next() is Step.FIND


def test_without_a_way_to_look_an_unknown_outcome_goes_to_a_person() -> None:
    then = Story(Certainty.ASKED).tries(Unknown("500"))
    assert (then.state, then.due_at) == (OutgoingState.UNCERTAIN, None)


def test_after_a_crash_it_is_looked_up() -> None:
    story = Story()
    story.begins()
    assert story.next() is Step.FIND


def test_a_crash_while_looking_leads_to_another_look() -> None:
    story = Story()
    story.tries(Unknown("500"))
    story.begins()
    assert story.next() is Step.FIND


def test_an_early_absence_is_not_believed() -> None:
    story = Story()
    story.tries(Unknown("timeout"))
    then = story.tries(NotThere())
    assert (then.result, then.state) == (Result.NOT_SEEN, OutgoingState.SENDING)
    assert story.next() is Step.FIND


def test_an_absence_is_believed_after_the_time_of_doubt_and_a_second_look() -> None:
    story = Story()
    story.tries(Unknown("timeout"))
    story.tries(NotThere())
    assert story.tries(NotThere(), 10).result is Result.NOT_SEEN
    then = story.tries(NotThere(), 20)
    assert (then.result, then.state) == (Result.ABSENT, OutgoingState.RETRYING)
    assert story.next() is Step.SEND


def test_one_look_is_enough_once_the_lease_of_the_send_is_over() -> None:
    story = Story()
    story.begins()
    assert story.tries(NotThere(), 60).result is Result.ABSENT


def test_a_second_send_is_doubted_by_itself() -> None:
    story = Story()
    story.begins()
    story.tries(NotThere(), 60)
    story.tries(Unknown("timeout"))
    assert story.tries(NotThere()).result is Result.NOT_SEEN


def test_what_the_network_keeps_losing_is_given_up_as_not_there() -> None:
    story = Story()
    for _ in range(3):
        story.begins(60)
        assert story.tries(NotThere(), 60).state is OutgoingState.RETRYING
    story.begins(60)
    assert story.tries(NotThere(), 60).state is OutgoingState.REFUSED


def test_looks_that_settle_nothing_end_with_a_person() -> None:
    story = Story()
    story.tries(Unknown("500"))
    waits = [seconds(story.tries(Unknown("away"), 60), story) for _ in range(3)]
    assert waits == [10, 20, 40]
    then = story.tries(Unknown("away"), 60)
    assert (then.state, then.due_at) == (OutgoingState.UNCERTAIN, None)


def test_a_refused_look_proves_nothing() -> None:
    story = Story()
    story.tries(Unknown("500"))
    assert story.tries(Denied("no look-ups")).state is OutgoingState.SENDING


def test_a_persons_word_ends_the_doubt_and_the_count() -> None:
    story = Story()
    story.tries(Unknown("500"))
    story.tried.append(
        Attempt(
            brand_id=new_uuid(),
            outgoing_id=new_uuid(),
            number=2,
            fence=1,
            started_at=story.at,
            step=Step.PERSON,
            outcome=Result.SEND_AGAIN,
        )
    )
    assert story.next() is Step.SEND


# ---------------------------------------------------------------- what twice is as once


def test_what_twice_is_as_once_is_done_again_after_an_unknown_outcome() -> None:
    story = Story(Certainty.REPEATED)
    then = story.tries(Unknown("500"))
    assert (then.state, seconds(then, story)) == (OutgoingState.SENDING, 10)
    assert story.next() is Step.SEND


def test_what_twice_is_as_once_and_stays_unknown_goes_to_a_person() -> None:
    story = Story(Certainty.REPEATED)
    states = [story.tries(Unknown("500"), 60).state for _ in range(4)]
    assert states == [*[OutgoingState.SENDING] * 3, OutgoingState.UNCERTAIN]


# ---------------------------------------------------------------- laid ready first


def test_what_has_to_be_laid_ready_is_before_it_is_sent() -> None:
    story = Story(to_prepare=True)
    assert story.begins().step == Step.PREPARE


def test_what_is_laid_ready_early_waits_for_its_moment_and_can_be_taken_back() -> None:
    due_at = START + timedelta(seconds=90)
    then = Story(to_prepare=True).tries(Ready(Prepared({"id": "1"})), due_at=due_at)
    assert (then.result, then.state, then.due_at) == (Result.READY, OutgoingState.WAITING, due_at)


def test_a_network_that_is_at_work_on_it_is_asked_again_when_it_says() -> None:
    story = Story(to_prepare=True)
    then = story.tries(Ready(Prepared({"id": "1"}, wait=timedelta(seconds=7))))
    assert (then.result, then.state, seconds(then, story)) == (Result.PREPARING, OutgoingState.RETRYING, 7)


def test_a_network_that_never_gets_it_ready_is_given_up() -> None:
    story = Story(to_prepare=True)
    waiting = Ready(Prepared({}, wait=timedelta(seconds=7)))
    story.tries(waiting)
    assert story.tries(waiting, 3500).state is OutgoingState.RETRYING
    assert story.tries(waiting, 200).state is OutgoingState.REFUSED


def test_an_unknown_outcome_of_laying_ready_is_no_doubt_since_nobody_sees_it() -> None:
    story = Story(to_prepare=True)
    then = story.tries(Unknown("timeout"))
    assert (then.result, then.state) == (Result.UNSENT, OutgoingState.RETRYING)
    assert story.next() is Step.PREPARE


def test_whoever_dies_over_laying_ready_each_time_is_given_up_on() -> None:
    story = Story(to_prepare=True)
    for _ in range(3):
        story.begins(60)
    assert story.tries(NotSent("away"), 60).state is OutgoingState.REFUSED


def test_what_was_laid_ready_and_is_gone_is_tried_again() -> None:
    then = Story().tries(NotReady("the container has expired"))
    assert (then.result, then.state) == (Result.UNSENT, OutgoingState.RETRYING)
