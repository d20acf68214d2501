"""How the suite is shared out among its workers: a file is one worker's, what takes long begins first.

Tests that ask the house of `parvis up` are all one worker's: each further house would be idle most of the time, and
an idle house still looks into its queues many times a second.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_AT_THE_HOUSE = "tests/contract/"
_HOUSE_OF_ITS_OWN = "tests/contract/test_canary.py"
_LONG = (
    _AT_THE_HOUSE,
    "tests/services/local/test_local.py",
    "tests/faults/",
    "tests/benchmarks/",
    "tests/services/ingest/test_asking_crashes.py",
    "tests/tenancy/test_cluster_rules.py",
    "tests/domain/publishing/",
    "tests/services/scheduler/",
    "tests/services/ingest/",
    "tests/services/local/",
    "tests/domain/",
)


class Sharing(LoadFileScheduling):
    """Files to workers, in the order of `long_first`."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # it would put files of few tests last, and those take longest
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _AT_THE_HOUSE if file.startswith(_AT_THE_HOUSE) and file != _HOUSE_OF_ITS_OWN else file


def long_first(items: list[pytest.Item]) -> None:
    """Put files that take long before the others, so that no worker is left alone with one at the end."""
    last = len(_LONG)
    items.sort(key=lambda item: next((n for n, start in enumerate(_LONG) if item.nodeid.startswith(start)), last))
