"""A scheduler with one wrong act: an effect that was answered with an error, or not at all, is sent again."""

from services import serving
from services.scheduler import __main__ as scheduler
from services.scheduler import handlers
from shared.connectors import sandbox_sending
from shared.domain.publishing.sending.outcomes import NotSent, Outcome
from shared.errors import NetworkError
from tests.faults.references.trusts_the_key_alone import NEVER


def _nothing_happened(error: NetworkError) -> Outcome:
    return NotSent(error.message)


def change() -> None:
    """Take every error for a proof that nothing happened."""
    handlers._meaning = _nothing_happened
    sandbox_sending.REPEATS_AFTER = NEVER


if __name__ == "__main__":
    change()
    serving.run(scheduler._serve())
