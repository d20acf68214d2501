"""Every network's specimen, by name: a new one is one line here."""

from collections.abc import Iterable

import pytest

from shared.models.enums import Network
from tests.connectors.conformance.specimen import Specimen
from tests.connectors.specimens.bluesky import BLUESKY
from tests.connectors.specimens.facebook import FACEBOOK
from tests.connectors.specimens.feed import FEED
from tests.connectors.specimens.generic import GENERIC
from tests.connectors.specimens.instagram import INSTAGRAM
from tests.connectors.specimens.mastodon import MASTODON
from tests.connectors.specimens.sandbox import SANDBOX

SPECIMENS: dict[Network, Specimen] = {
    one.connector.network: one for one in (GENERIC, FEED, FACEBOOK, INSTAGRAM, MASTODON, BLUESKY, SANDBOX)
}
PUSHED = [one for one in SPECIMENS.values() if one.pushing is not None]


def each(specimens: Iterable[Specimen]) -> list[object]:
    """These as parameters of a test, named after their networks."""
    return [pytest.param(one, id=one.connector.network.value) for one in specimens]
