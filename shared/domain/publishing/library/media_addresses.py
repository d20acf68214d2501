"""Addresses under which anybody can fetch one file for some hours: what networks get that fetch for themselves."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.errors import NotFound
from shared.vault import Vault

# An address is good for one to two windows. Within a window it is the same, so that what shows it can be kept.
WINDOW = timedelta(hours=6)
_MESSAGE = b"media address\x00"
_BYTES = 16 + 16 + 5

Address = Callable[[UUID, UUID], str]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes and reads them. `base_url` is where the api is reached from outside, without a trailing slash."""

    vault: Vault
    base_url: str

    def at(self, now: datetime) -> Address:
        """How a brand's media are addressed from `now` on."""
        until = (int(now.timestamp()) // _SECONDS + 2) * _SECONDS

        def address(brand_id: UUID, media_id: UUID) -> str:
            what = brand_id.bytes + media_id.bytes + until.to_bytes(5)
            token = base64.urlsafe_b64encode(what).rstrip(b"=").decode()
            return f"{self.base_url}/media/{token}.{self.vault.sign(_MESSAGE + what)}"

        return address

    def read(self, token: str, now: datetime) -> tuple[UUID, UUID, datetime]:
        """The brand, the media, and until when the address is good. Raises NotFound: forged, or over."""
        head, _, signature = token.partition(".")
        try:
            what = base64.b64decode(head.encode("ascii") + b"=" * (-len(head) % 4), altchars=b"-_", validate=True)
            signed = self.vault.is_signed(_MESSAGE + what, signature.encode("ascii").decode())
        except (binascii.Error, ValueError):
            raise _nothing() from None
        if len(what) != _BYTES or not signed:
            raise _nothing()
        until = datetime.fromtimestamp(int.from_bytes(what[32:]), UTC)
        if until <= now:
            raise _nothing()
        return UUID(bytes=what[:16]), UUID(bytes=what[16:32]), until


_SECONDS = int(WINDOW.total_seconds())


def _nothing() -> NotFound:
    return NotFound("there is nothing at this address, or not any more")
