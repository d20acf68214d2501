"""Where the bytes of uploaded media are kept: a folder, or a bucket that speaks S3."""

from shared.settings import Settings
from shared.store.bucket import Bucket
from shared.store.folder import Folder
from shared.store.place import FOLDER, Kept, Missing, Store, StoreAway

__all__ = ["FOLDER", "Bucket", "Folder", "Kept", "Missing", "Store", "StoreAway", "open_store"]


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.media_url is None:
        return Folder(settings.data_dir / FOLDER)
    return Bucket(
        settings.media_url,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        key=settings.s3_key,
        secret=settings.s3_secret.get_secret_value() if settings.s3_secret is not None else None,
    )
