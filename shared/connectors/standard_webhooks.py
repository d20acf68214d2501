"""Standard Webhooks (standardwebhooks.com): the signature over id, time and body, both ways."""

import base64
import hmac
from binascii import b2a_base64
from datetime import UTC, datetime
from functools import lru_cache

from shared.contract import RawRequest, Secret
from shared.errors import BadSignature

TOLERANCE_SECONDS = 300


def verify(request: RawRequest, secret: Secret) -> datetime:
    """The signed time. Any of the keys will do, and any of the signatures: both sides may be rotating.

    Raises BadSignature where a header is missing, the time is more than 300 seconds off, or nothing fits.
    """
    headers = request.headers
    message_id, stamped = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not message_id or not stamped or not given:
        raise BadSignature("webhook-id, webhook-timestamp and webhook-signature are required")
    if not (stamped.isascii() and stamped.isdigit() and len(stamped) <= 12):
        raise BadSignature("webhook-timestamp is not a whole number of seconds")
    seconds = int(stamped)
    if abs(seconds - request.received_at.timestamp()) > TOLERANCE_SECONDS:
        raise BadSignature(f"webhook-timestamp is more than {TOLERANCE_SECONDS} seconds off")
    signatures = header_bytes(given).split(b" ")
    signed = _signed(header_bytes(message_id), stamped, request.body)
    for key in secret.keys:
        try:
            expected = _signature(key, signed)
        except ValueError:
            continue
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return datetime.fromtimestamp(seconds, UTC)
    raise BadSignature("no signature fits")


def sign(secret: str, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a request of ours. Raises ValueError where `secret` is not `whsec_` and base64."""
    timestamp = str(int(now.timestamp()))
    signature = _signature(secret, _signed(message_id.encode(), timestamp, body))
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature.decode(),
    }


def header_bytes(value: str) -> bytes:
    """A header as it was sent: HTTP's own encoding is Latin-1."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1000)
def _keyed(secret: str) -> hmac.HMAC:
    """A digest that has taken the key: copying it costs less than taking the key again for each message."""
    return hmac.new(base64.b64decode(secret.removeprefix("whsec_"), validate=True), digestmod="sha256")


def _signed(message_id: bytes, timestamp: str, body: bytes) -> bytes:
    return b".".join((message_id, timestamp.encode(), body))


def _signature(secret: str, signed: bytes) -> bytes:
    digest = _keyed(secret).copy()
    digest.update(signed)
    return b"v1," + b2a_base64(digest.digest(), newline=False)
