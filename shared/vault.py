"""Secrets at rest, encrypted with rotation, and small signatures over what must come back unchanged."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY_ID = 4


class UnknownKey(Exception):
    """The secret was sealed with a key that is no longer in PARVIS_SECRET_KEYS, or for another place."""


def _derive(key: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(key.encode())


class Vault:
    """AES-256-GCM, the row's own place as additional data: a sealed value copied to another row does not open.

    The first key seals; all of them open, so a key is rotated by putting a new one in front
    and running `parvis key rotate`.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("the vault needs at least one key")
        self._sealers = {self._key_id(k): AESGCM(_derive(k, b"parvis secrets at rest")) for k in keys}
        self._newest = self._key_id(keys[0])
        self._signing = [_derive(k, b"parvis signatures") for k in keys]

    @staticmethod
    def _key_id(key: str) -> bytes:
        return hashlib.sha256(b"parvis key id" + key.encode()).digest()[:_KEY_ID]

    def seal(self, secret: str, place: str) -> bytes:
        """Encrypt `secret` for `place`, such as `channel:<uuid>:credentials`."""
        nonce = urandom(_NONCE)
        return self._newest + nonce + self._sealers[self._newest].encrypt(nonce, secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Decrypt what was sealed for `place`. Raises UnknownKey."""
        key_id, nonce, rest = sealed[:_KEY_ID], sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
        sealer = self._sealers.get(bytes(key_id))
        if sealer is None:
            raise UnknownKey(place)
        try:
            return sealer.decrypt(bytes(nonce), bytes(rest), place.encode()).decode()
        except InvalidTag as error:
            raise UnknownKey(place) from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the newest key."""
        return bytes(sealed[:_KEY_ID]) == self._newest

    def sign(self, message: bytes) -> str:
        """A short URL-safe signature of `message`, by the newest key."""
        return self._signature(self._signing[0], message)

    def is_signed(self, message: bytes, signature: str) -> bool:
        """Whether any of our keys made `signature` over `message`."""
        return any(hmac.compare_digest(self._signature(key, message), signature) for key in self._signing)

    @staticmethod
    def _signature(key: bytes, message: bytes) -> str:
        digest = hmac.new(key, message, hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_key(secret: str) -> bytes:
    """The stored form of an API key. The key has 256 random bits, so one fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
