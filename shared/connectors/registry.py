"""Every network, by name: a new one is one line here."""

from collections.abc import Mapping
from dataclasses import replace

from shared.connectors.facebook import Facebook
from shared.connectors.generic import Generic
from shared.connectors.sandbox import Sandbox
from shared.contract import Card, Connector
from shared.models.enums import Network

CONNECTORS: dict[Network, Connector] = {
    Network.GENERIC: Generic(),
    Network.FACEBOOK: Facebook(),
    Network.SANDBOX: Sandbox(),
}

# What the domain is handed: each network's card, with its connector's way to count a text on it.
CARDS: Mapping[Network, Card] = {
    network: replace(known.card, count=known.count) for network, known in CONNECTORS.items()
}


def connector(network: Network) -> Connector:
    """The connector of a network; there is one for each."""
    return CONNECTORS[network]
