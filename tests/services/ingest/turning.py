"""Turns, taken one round after the other until nothing is due."""

from services.ingest.asking import Asking
from services.ingest.handlers import Worker


async def take_all(worker: Worker, *, rounds: int = 100) -> None:
    """Everything that is due, and what becomes due by it; as a worker's process that then ends."""
    asking = Asking(worker)
    for _ in range(rounds):
        if await asking.round() > 0:
            return
        await asking.finish(60)
    raise AssertionError(f"after {rounds} rounds there is still more")
