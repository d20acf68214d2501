"""One lane a network host: what is slow there delays nobody elsewhere."""

from urllib.parse import urlsplit

from shared.contract import Card
from shared.models.channel import Channel


def lane_of(channel: Channel, card: Card) -> str:
    """The host that answers for a channel: that of its address, or of its id where its network knows it by an address.

    Where the address is the channel's own credential and thus sealed, each channel is a lane.
    """
    if channel.base_url is not None:
        return _host(channel.base_url)
    if "url" in (*card.credentials_required, *card.credentials_optional):
        return f"{channel.network.value}/{channel.id}"
    if channel.external_id.startswith(("http://", "https://")):
        return _host(channel.external_id)
    return channel.network.value


def _host(address: str) -> str:
    return (urlsplit(address).netloc.lower() or address)[:200]
