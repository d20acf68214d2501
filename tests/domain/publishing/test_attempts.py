"""What is not known to have failed is looked up, never repeated."""

from datetime import UTC, datetime, timedelta

from shared.contract import Sent
from shared.domain.publishing import attempts
from shared.domain.publishing.attempts import (
    Denied,
    Live,
    LoginDied,
    Next,
    NotSent,
    NotThere,
    Outcome,
    Pace,
    Result,
    SlowDown,
    Step,
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
    """Attempts as they happen; `at` is the time of the last thing."""

    def __init__(self) -> None:
        self.tried: list[Attempt] = []
        self.at = START

    def begins(self, after: float = 0) -> Attempt:
        self.at += timedelta(seconds=after)
        attempt = Attempt(
            brand_id=new_uuid(), outgoing_id=new_uuid(), number=len(self.tried) + 1, fence=1, started_at=self.at,
            step=attempts.next_step(self.tried),
        )  # fmt: skip
        self.tried.append(attempt)
        return attempt

    def ends(self, outcome: Outcome, *, can_find: bool = True) -> Next:
        current = self.tried[-1]
        then = attempts.after(outcome, current, self.tried[:-1], pace=PACE, can_find=can_find, now=self.at)
        current.outcome = then.result
        return then

    def tries(self, outcome: Outcome, after: float = 0, *, can_find: bool = True) -> Next:
        self.begins(after)
        return self.ends(outcome, can_find=can_find)


def seconds(then: Next, story: Story) -> float:
    assert then.due_at is not None
    return (then.due_at - story.at).total_seconds()


def test_the_first_step_is_to_send() -> None:
    assert attempts.next_step([]) is Step.SEND


def test_what_is_live_is_done() -> None:
    assert Story().tries(Live(Sent("1"))) == Next(Result.LIVE, OutgoingState.LIVE)


def test_a_refusal_is_final() -> None:
    then = Story().tries(Denied("too long"))
    assert (then.state, then.due_at) == (OutgoingState.REFUSED, None)


def test_what_was_not_sent_is_sent_again_with_doubling_waits_and_then_given_up() -> None:
    story = Story()
    waits = [seconds(story.tries(NotSent("away"), 60), story) for _ in range(3)]
    assert waits == [10, 20, 40]
    assert attempts.next_step(story.tried) is Step.SEND
    assert story.tries(NotSent("away"), 60).state is OutgoingState.REFUSED


def test_a_rate_limit_waits_as_asked_and_is_never_given_up_for() -> None:
    story = Story()
    for _ in range(10):
        then = story.tries(SlowDown("slow", timedelta(seconds=33)), 60)
        assert (then.state, seconds(then, story)) == (OutgoingState.RETRYING, 33)
    assert attempts.next_step(story.tried) is Step.SEND


def test_a_dead_login_holds_it() -> None:
    then = Story().tries(LoginDied("expired"))
    assert (then.state, then.held) == (OutgoingState.RETRYING, True)


def test_after_an_unknown_outcome_it_is_looked_up_at_once() -> None:
    story = Story()
    then = story.tries(Unknown("500"))
    assert (then.state, seconds(then, story)) == (OutgoingState.SENDING, 0)
    assert attempts.next_step(story.tried) is Step.FIND


def test_without_a_way_to_look_an_unknown_outcome_goes_to_a_person() -> None:
    then = Story().tries(Unknown("500"), can_find=False)
    assert (then.state, then.due_at) == (OutgoingState.UNCERTAIN, None)


def test_after_a_crash_it_is_looked_up() -> None:
    story = Story()
    story.begins()
    assert attempts.next_step(story.tried) is Step.FIND


def test_a_crash_while_looking_leads_to_another_look() -> None:
    story = Story()
    story.tries(Unknown("500"))
    story.begins()
    assert attempts.next_step(story.tried) is Step.FIND


def test_an_early_absence_is_not_believed() -> None:
    story = Story()
    story.tries(Unknown("timeout"))
    then = story.tries(NotThere())
    assert (then.result, then.state) == (Result.NOT_SEEN, OutgoingState.SENDING)
    assert attempts.next_step(story.tried) is Step.FIND


def test_an_absence_is_believed_after_the_time_of_doubt_and_a_second_look() -> None:
    story = Story()
    story.tries(Unknown("timeout"))
    story.tries(NotThere())
    assert story.tries(NotThere(), 10).result is Result.NOT_SEEN
    then = story.tries(NotThere(), 20)
    assert (then.result, then.state) == (Result.ABSENT, OutgoingState.RETRYING)
    assert attempts.next_step(story.tried) is Step.SEND


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
    assert attempts.next_step(story.tried) is Step.SEND
