"""The guarded HTTP client: the one way in which Parvis calls an address that somebody typed in.

It speaks https to public addresses on port 443, and anything inside PARVIS_PRIVATE_NETWORKS; it validates every
address that a name stands for and connects to exactly those, so a name can't change its meaning in between. It follows
no redirect by itself, keeps no cookie, uses no proxy, and stops reading at a size and at a time.
"""

from shared.http.answer import (
    MAX_RESPONSE_BYTES,
    ResponseBroken,
    ResponseTooLarge,
    WrongType,
    media_type,
)
from shared.http.guard import (
    Address,
    AddressRefused,
    Networks,
    Places,
    Resolve,
    check_address,
    own_places,
    permit,
    resolve,
)
from shared.http.guarded import ACCEPTS, client

__all__ = [
    "ACCEPTS",
    "MAX_RESPONSE_BYTES",
    "Address",
    "AddressRefused",
    "Networks",
    "Places",
    "Resolve",
    "ResponseBroken",
    "ResponseTooLarge",
    "WrongType",
    "check_address",
    "client",
    "media_type",
    "own_places",
    "permit",
    "resolve",
]
