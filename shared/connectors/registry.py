"""Every network, by name: a new one is one line here."""

from shared.connectors.facebook import Facebook
from shared.connectors.generic import Generic
from shared.connectors.instagram import Instagram
from shared.connectors.sandbox import Sandbox
from shared.contract import Connector
from shared.models.enums import Network

CONNECTORS: dict[Network, Connector] = {
    Network.GENERIC: Generic(),
    Network.FACEBOOK: Facebook(),
    Network.INSTAGRAM: Instagram(),
    Network.SANDBOX: Sandbox(),
}


def connector(network: Network) -> Connector:
    """The connector of a network; there is one for each."""
    return CONNECTORS[network]
