"""Every network, by name: a new one is one line here."""

from collections.abc import Mapping
from dataclasses import replace

from shared.connectors.bluesky import Bluesky
from shared.connectors.facebook import Facebook
from shared.connectors.facebook_consent import FacebookConsent
from shared.connectors.feed import Feed
from shared.connectors.generic import Generic
from shared.connectors.instagram import Instagram
from shared.connectors.instagram_consent import InstagramConsent
from shared.connectors.mastodon import Mastodon
from shared.connectors.mastodon_consent import MastodonConsent
from shared.connectors.sandbox import Sandbox
from shared.connectors.sandbox_consent import SandboxConsent
from shared.contract import Card, Connector, Consents, KeepsTime, Revokes
from shared.models.enums import Network

CONNECTORS: dict[Network, Connector] = {
    Network.GENERIC: Generic(),
    Network.FACEBOOK: Facebook(),
    Network.INSTAGRAM: Instagram(),
    Network.FEED: Feed(),
    Network.SANDBOX: Sandbox(),
    Network.MASTODON: Mastodon(),
    Network.BLUESKY: Bluesky(),
}

# The networks that ask their people whether we may act for them.
CONSENTS: dict[Network, Consents] = {
    Network.SANDBOX: SandboxConsent(),
    Network.MASTODON: MastodonConsent(),
    Network.FACEBOOK: FacebookConsent(),
    Network.INSTAGRAM: InstagramConsent(),
}
# Those among them that tell us when somebody takes it back.
REVOKES: dict[Network, Revokes] = {
    Network.SANDBOX: SandboxConsent(),
    Network.FACEBOOK: FacebookConsent(),
    Network.INSTAGRAM: InstagramConsent(),
}

# The networks whose time a brand keeps that lives nowhere else.
CLOCKS: dict[Network, KeepsTime] = {
    Network.SANDBOX: Sandbox(),
}

# What the domain is handed: each network's card, with its connector's way to count a text on it.
CARDS: Mapping[Network, Card] = {
    network: replace(known.card, count=known.count) for network, known in CONNECTORS.items()
}


def connector(network: Network) -> Connector:
    """The connector of a network; there is one for each."""
    return CONNECTORS[network]
