"""Every network, by name: a new one is one line here."""

from shared.connectors.facebook import Facebook
from shared.connectors.generic import Generic
from shared.connectors.sandbox import Sandbox
from shared.connectors.sandbox_consent import SandboxConsent
from shared.contract import Connector, Consents, Revokes
from shared.models.enums import Network

CONNECTORS: dict[Network, Connector] = {
    Network.GENERIC: Generic(),
    Network.FACEBOOK: Facebook(),
    Network.SANDBOX: Sandbox(),
}

# The networks that ask their people whether we may act for them.
CONSENTS: dict[Network, Consents] = {
    Network.SANDBOX: SandboxConsent(),
}
# Those among them that tell us when somebody takes it back.
REVOKES: dict[Network, Revokes] = {
    Network.SANDBOX: SandboxConsent(),
}


def connector(network: Network) -> Connector:
    """The connector of a network; there is one for each."""
    return CONNECTORS[network]
