"""Meta's signed requests: by them it says that a person took their consent back, or wants their data deleted.

The form field `signed_request` is `<signature>.<payload>`, both base64url without padding; the signature is the
HMAC-SHA256 of the payload as it stands there, by the app's secret (Meta's guides to deauthorization and data deletion).
"""

import hmac
from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from shared.connectors.reading import identifier, unix_time
from shared.contract import read_json
from shared.errors import BadPayload, BadSignature


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Whom it is about, by the id that this app knows the person by, and when Meta wrote it."""

    user_id: str
    issued_at: datetime | None


def of_form(app_secret: str, body: bytes) -> SignedRequest:
    """The signed request in a form as Meta posts it. Raises BadSignature, BadPayload."""
    try:
        given = parse_qs(body.decode("ascii")).get("signed_request", [])
    except (UnicodeDecodeError, ValueError):
        given = []
    if len(given) != 1:
        raise BadSignature("the form holds no signed_request")
    return read(app_secret, given[0])


def read(app_secret: str, signed_request: str) -> SignedRequest:
    """What it says. Raises BadSignature where it was not signed by this secret, BadPayload where it names nobody."""
    signature, dot, payload = signed_request.partition(".")
    if not dot or not app_secret or not signed_request.isascii():
        raise BadSignature("a signed request is a signature and a payload, with a dot between them")
    try:
        given = _decoded(signature)
    except (BadBase64, ValueError):
        raise BadSignature("the signature is not base64") from None
    if not hmac.compare_digest(hmac.digest(app_secret.encode(), payload.encode(), "sha256"), given):
        raise BadSignature("the signature does not fit")
    try:
        value = read_json(_decoded(payload))
    except (BadBase64, ValueError):
        raise BadPayload("the payload is not base64") from None
    if not isinstance(value, dict):
        raise BadPayload("the payload is not an object")
    algorithm = str(value.get("algorithm", "")).upper()
    if algorithm != "HMAC-SHA256":
        raise BadPayload(f"the algorithm is {algorithm[:40] or 'not named'}, and not HMAC-SHA256")
    user_id = identifier(value.get("user_id"))
    if user_id is None:
        raise BadPayload("the payload names no user_id")
    return SignedRequest(user_id, unix_time(value.get("issued_at")))


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
