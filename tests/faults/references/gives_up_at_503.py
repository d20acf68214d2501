"""A scheduler with one wrong act: a network that is busy for a moment has refused."""

import httpx

from services import serving
from services.scheduler import __main__ as scheduler
from shared.connectors import outcome
from shared.errors import NetworkError, Refused

_failure = outcome.failure


def _gives_up(network: str, response: httpx.Response, refused: frozenset[int]) -> NetworkError:
    if response.status_code == 503:
        return Refused(network, "the network answered with status 503")
    return _failure(network, response, refused)


def change() -> None:
    """Take 503 for a refusal."""
    outcome.failure = _gives_up


if __name__ == "__main__":
    change()
    serving.run(scheduler._serve())
