"""A store in a bucket that speaks S3."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from shared.store.place import Kept, Missing, StoreAway

if TYPE_CHECKING:
    from obstore.store import S3Config

_PIECE = 1024 * 1024
_PATIENCE = timedelta(seconds=30)


class Bucket:
    """Files below the prefix of `url`, which is `s3://bucket/prefix`."""

    def __init__(self, url: str, *, endpoint: str | None, region: str, key: str | None, secret: str | None) -> None:
        parts = urlsplit(url)
        config: S3Config = {"region": region}
        if endpoint:
            config["endpoint"] = endpoint
        if key and secret:
            config |= {"access_key_id": key, "secret_access_key": secret}
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=5),
                "timeout": _PATIENCE,
            },
            retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
        )

    async def put(self, key: str, path: Path, type_: str) -> None:
        try:
            with _away(key):
                await obstore.put_async(self._store, key, path, attributes={"Content-Type": type_})
        except Missing:
            raise StoreAway("the media store's bucket is not there") from None

    async def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        with _away(key):
            found = await obstore.get_async(self._store, key, options={"range": (start, start + length)})
            if found.range != (start, start + length):
                raise Missing(f"the file {key} is shorter than it was")
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

    async def delete(self, key: str) -> None:
        try:
            with _away(key):
                await obstore.delete_async(self._store, key)
        except Missing:
            return

    async def list_(self) -> AsyncIterator[Kept]:
        with _away("the list"):
            async for some in obstore.list(self._store):
                for one in some:
                    yield Kept(one["path"], one["last_modified"])


@contextmanager
def _away(key: str) -> Iterator[None]:
    """What the bucket says, in the store's words; addresses and keys in it stay out of what people read."""
    try:
        yield
    except (FileNotFoundError, NotFoundError):
        raise Missing(f"there is no file {key}") from None
    except (BaseError, OSError) as error:
        raise StoreAway("the media store can't be reached, or refuses") from error
