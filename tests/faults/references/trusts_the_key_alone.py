"""A scheduler with one wrong act: what is in doubt is sent again under the same key, and nobody looks.

Where a network knows a repeat by its key that would do. The practice network does not, nor does every partner.
"""

from collections.abc import Sequence
from datetime import timedelta

from services import serving
from services.scheduler import __main__ as scheduler
from shared.connectors import sandbox_sending
from shared.contract import Certainty
from shared.domain.publishing.sending import attempts as domain
from shared.domain.publishing.sending.attempts import Step
from shared.models.post import Attempt

NEVER = timedelta.max


def _send(attempts: Sequence[Attempt], certainty: Certainty, *, to_prepare: bool) -> Step:
    return Step.PREPARE if to_prepare else Step.SEND


def change() -> None:
    """Never look."""
    domain.next_step = _send
    sandbox_sending.REPEATS_AFTER = NEVER


if __name__ == "__main__":
    change()
    serving.run(scheduler._serve())
