"""What to do next about an effect, from what its attempts came to. Pure: no clock, no database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from shared.contract import Certainty
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
from shared.models.enums import OutgoingState
from shared.models.post import Attempt


class Step(StrEnum):
    """What an attempt does: lay ready, send the effect, look whether it is there, or follow a person's word."""

    PREPARE = "prepare"
    SEND = "send"
    FIND = "find"
    PERSON = "person"


class Result(StrEnum):
    """What an attempt came to. `NOT_SEEN` is an absence that is not believed yet; `ABSENT` is one that is."""

    LIVE = "live"
    READY = "ready"
    PREPARING = "preparing"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNSENT = "unsent"
    LOGIN_DEAD = "login_dead"
    UNKNOWN = "unknown"
    NOT_SEEN = "not_seen"
    ABSENT = "absent"
    SEND_AGAIN = "send_again"


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient sending is.

    `first` doubles up to `longest`, `times` tries in all. A look-up that finds nothing is believed after `doubt`, since
    networks show things late; `lease` is how long an attempt is somebody's, `hold` how long a standing channel's
    effects rest before they are looked at again, `readiness` how long a network may be at work on what is laid ready.
    """

    first: timedelta
    longest: timedelta
    times: int
    lease: timedelta
    doubt: timedelta
    hold: timedelta = timedelta(seconds=15)
    readiness: timedelta = timedelta(hours=1)

    def back_off(self, failures: int) -> timedelta:
        """The wait after so many failures in a row, from 1."""
        doubled = self.first.total_seconds() * 2.0 ** min(max(failures - 1, 0), 40)
        return timedelta(seconds=min(doubled, self.longest.total_seconds()))


@dataclass(frozen=True, slots=True)
class Next:
    """Where an effect stands after an attempt, and when it is taken up again; `due_at` None: not by itself."""

    result: Result
    state: OutgoingState
    due_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    held: bool = False


def doubtful(attempts: Sequence[Attempt]) -> Attempt | None:
    """The send of which it is not known whether it had its effect, if there is one."""
    doubt: Attempt | None = None
    for attempt in attempts:
        match Step(attempt.step):
            case Step.PREPARE:
                pass
            case Step.SEND:
                # Live, too: where its holder was no longer the effect's, that stands on the attempt and nowhere else.
                doubt = attempt if attempt.outcome in {None, Result.UNKNOWN, Result.LIVE} else None
            case Step.FIND:
                doubt = None if attempt.outcome == Result.ABSENT else doubt
            case Step.PERSON:
                doubt = None
            case other:
                assert_never(other)
    return doubt


def next_step(attempts: Sequence[Attempt], certainty: Certainty, *, to_prepare: bool) -> Step:
    """Send only where it is certain that no earlier send had its effect, or where twice is as once."""
    if doubtful(attempts) is not None and certainty is not Certainty.REPEATED:
        return Step.FIND
    return Step.PREPARE if to_prepare else Step.SEND


def after(
    outcome: Outcome,
    current: Attempt,
    earlier: Sequence[Attempt],
    *,
    pace: Pace,
    certainty: Certainty,
    due_at: datetime,
    now: datetime,
) -> Next:
    """Where the effect, which is meant for `due_at`, stands now that `current` came to `outcome`."""
    match Step(current.step):
        case Step.PREPARE:
            return _after_preparing(outcome, [*earlier, current], pace, due_at, now)
        case Step.SEND:
            return _after_send(outcome, earlier, pace, certainty, now)
        case Step.FIND:
            return _after_look(outcome, earlier, pace, now)
        case Step.PERSON:
            raise TypeError("a person's word is not tried")
        case other:
            assert_never(other)


def _after_preparing(
    outcome: Outcome, attempts: Sequence[Attempt], pace: Pace, due_at: datetime, now: datetime
) -> Next:
    """Nothing of it is seen by anybody, so that whatever goes wrong may be tried again."""
    state = OutgoingState.WAITING if now < due_at else OutgoingState.RETRYING
    match outcome:
        case Ready(prepared) if prepared.wait is None:
            found = Next(Result.READY, state, max(now, due_at))
        case Ready(prepared):
            found = _at_work(attempts, prepared.wait or pace.first, pace, state, due_at, now)
        case Denied(message):
            found = Next(Result.REFUSED, OutgoingState.REFUSED, None, "refused", message)
        case SlowDown(message, wait):
            found = Next(Result.RATE_LIMITED, state, now + wait, "rate_limited", message)
        case LoginDied(message):
            found = Next(Result.LOGIN_DEAD, state, now + pace.hold, "login_dead", message, held=True)
        case NotSent(message) | Unknown(message) | NotReady(message):
            failed = _again(Result.UNSENT, _failures(attempts[:-1]) + 1, pace, now, now, message)
            found = failed if failed.due_at is None else replace(failed, state=state)
        case Live() | NotThere():
            raise TypeError("laying ready sends and finds nothing")
        case _:
            assert_never(outcome)
    return found


def _at_work(
    attempts: Sequence[Attempt], wait: timedelta, pace: Pace, state: OutgoingState, due_at: datetime, now: datetime
) -> Next:
    began = next(attempt.started_at for attempt in attempts if attempt.step == Step.PREPARE)
    if now - max(began, due_at) > pace.readiness:
        words = f"given up: the network was at work on its media for more than {pace.readiness}"
        return Next(Result.PREPARING, OutgoingState.REFUSED, None, "gave_up", words)
    return Next(Result.PREPARING, state, now + wait)


def _after_send(outcome: Outcome, earlier: Sequence[Attempt], pace: Pace, certainty: Certainty, now: datetime) -> Next:
    match outcome:
        case Live():
            found = Next(Result.LIVE, OutgoingState.LIVE)
        case Denied(message):
            found = Next(Result.REFUSED, OutgoingState.REFUSED, None, "refused", message)
        case SlowDown(message, wait):
            found = Next(Result.RATE_LIMITED, OutgoingState.RETRYING, now + wait, "rate_limited", message)
        case LoginDied(message):
            found = Next(Result.LOGIN_DEAD, OutgoingState.RETRYING, now + pace.hold, "login_dead", message, held=True)
        case NotSent(message) | NotReady(message):
            found = _again(Result.UNSENT, _failures(earlier) + 1, pace, now, now, message)
        case Unknown(message):
            found = _unknown(message, earlier, pace, certainty, now)
        case NotThere() | Ready():
            raise TypeError("a send finds nothing, and lays nothing ready")
        case _:
            assert_never(outcome)
    return found


def _unknown(message: str, earlier: Sequence[Attempt], pace: Pace, certainty: Certainty, now: datetime) -> Next:
    match certainty:
        case Certainty.LOOKED_UP:
            return Next(Result.UNKNOWN, OutgoingState.SENDING, now, "uncertain", message)
        case Certainty.REPEATED:
            return _still_unknown(earlier, pace, now, message, step=Step.SEND)
        case Certainty.ASKED:
            return Next(Result.UNKNOWN, OutgoingState.UNCERTAIN, None, "uncertain", message)
        case _:
            assert_never(certainty)


def _after_look(outcome: Outcome, earlier: Sequence[Attempt], pace: Pace, now: datetime) -> Next:
    match outcome:
        case Live():
            found = Next(Result.LIVE, OutgoingState.LIVE)
        case NotThere():
            found = _not_there(earlier, pace, now)
        case SlowDown(message, wait):
            found = Next(Result.RATE_LIMITED, OutgoingState.SENDING, now + wait, "rate_limited", message)
        case LoginDied(message):
            found = Next(Result.LOGIN_DEAD, OutgoingState.SENDING, now + pace.hold, "login_dead", message, held=True)
        case Denied(message) | NotSent(message) | NotReady(message) | Unknown(message):
            found = _still_unknown(earlier, pace, now, message)
        case Ready():
            raise TypeError("a look-up lays nothing ready")
        case _:
            assert_never(outcome)
    return found


def _again(result: Result, failures: int, pace: Pace, since: datetime, now: datetime, message: str) -> Next:
    """Send once more, or give up where it was tried often enough: then it certainly is not on the network."""
    if failures > pace.times:
        words = f"given up after {failures} tries: {message}"
        return Next(result, OutgoingState.REFUSED, None, "gave_up", words)
    return Next(result, OutgoingState.RETRYING, max(now, since + pace.back_off(failures)), "retrying", message)


def _not_there(earlier: Sequence[Attempt], pace: Pace, now: datetime) -> Next:
    sent = doubtful(earlier)
    looks = _in_a_row(earlier, Result.NOT_SEEN) + 1
    elapsed = now - sent.started_at if sent is not None else pace.lease
    # A network that was slow to answer may still be at work, and some show late what they have taken.
    if sent is not None and (elapsed < pace.doubt or (looks < 2 and elapsed < pace.lease)):
        message = "the network does not show it yet; it is looked up again before it is sent again"
        enough = max(sent.started_at + pace.doubt, now + pace.first)
        due_at = min(now + pace.back_off(looks), enough)
        return Next(Result.NOT_SEEN, OutgoingState.SENDING, due_at, "uncertain", message)
    since = sent.started_at if sent is not None else now
    return _again(Result.ABSENT, _failures(earlier) + 1, pace, since, now, "the network does not have it")


def _still_unknown(
    earlier: Sequence[Attempt], pace: Pace, now: datetime, message: str, *, step: Step = Step.FIND
) -> Next:
    unknown = _in_a_row(earlier, Result.UNKNOWN, step) + 1
    sent = doubtful(earlier)
    if unknown > pace.times and (sent is None or now - sent.started_at >= pace.doubt):
        words = f"it is not known whether the network has it: {message}"
        return Next(Result.UNKNOWN, OutgoingState.UNCERTAIN, None, "uncertain", words)
    return Next(Result.UNKNOWN, OutgoingState.SENDING, now + pace.back_off(unknown), "uncertain", message)


def _failures(attempts: Sequence[Attempt]) -> int:
    """Tries since a person last spoke that certainly had no effect: the network was away or lost them, or whoever
    laid something ready died over it."""
    count = 0
    for attempt in attempts:
        if attempt.step == Step.PERSON:
            count = 0
        elif attempt.outcome in {Result.UNSENT, Result.ABSENT} or _died_preparing(attempt):
            count += 1
    return count


def _died_preparing(attempt: Attempt) -> bool:
    return attempt.step == Step.PREPARE and attempt.outcome is None


def _in_a_row(attempts: Sequence[Attempt], result: Result, step: Step = Step.FIND) -> int:
    """How many look-ups (or tries of another `step`) in a row, up to the last one, came to `result`."""
    count = 0
    for attempt in reversed(attempts):
        if attempt.step != step:
            break
        if attempt.outcome == result:
            count += 1
        elif attempt.outcome is not None:
            break
    return count
