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
    if abs(int(stamped) - request.received_at.timestamp()) > TOLERANCE_SECONDS:
        raise BadSignature(f"webhook-timestamp is more than {TOLERANCE_SECONDS} seconds off")
    signatures = [header_bytes(part[3:]) for part in given.split(" ") if part.startswith("v1,")]
    signed = header_bytes(message_id), stamped.encode(), request.body
    for key in secret.keys:
        try:
            expected = _signature(key, *signed)
        except ValueError:
            continue
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return datetime.fromtimestamp(int(stamped), UTC)
    raise BadSignature("no signature fits")


def sign(secret: str, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a request of ours. Raises ValueError where `secret` is not `whsec_` and base64."""
    timestamp = str(int(now.timestamp()))
    signature = _signature(secret, message_id.encode(), timestamp.encode(), body)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature.decode()}",
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


def _signature(secret: str, message_id: bytes, timestamp: bytes, body: bytes) -> bytes:
    digest = _keyed(secret).copy()
    digest.update(b"%b.%b.%b" % (message_id, timestamp, body))
    return b2a_base64(digest.digest(), newline=False)
