"""Every network, by name: a new one is one line here."""

from shared.connectors.bluesky import Bluesky
from shared.connectors.facebook import Facebook
from shared.connectors.feed import Feed
from shared.connectors.generic import Generic
from shared.connectors.mastodon import Mastodon
from shared.connectors.sandbox import Sandbox
from shared.contract import Connector
from shared.models.enums import Network

CONNECTORS: dict[Network, Connector] = {
    Network.GENERIC: Generic(),
    Network.FACEBOOK: Facebook(),
    Network.FEED: Feed(),
    Network.SANDBOX: Sandbox(),
    Network.MASTODON: Mastodon(),
    Network.BLUESKY: Bluesky(),
}


def connector(network: Network) -> Connector:
    """The connector of a network; there is one for each."""
    return CONNECTORS[network]
