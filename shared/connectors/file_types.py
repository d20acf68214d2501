"""What kind of file a medium is, for networks that are handed its bytes."""

import mimetypes
from urllib.parse import urlsplit

from shared.contract import OutgoingMedia

UNKNOWN = "application/octet-stream"


def file_type(media: OutgoingMedia) -> str:
    """Its MIME type: as it is known, else as its address says."""
    if media.type is not None:
        return media.type
    try:
        path = urlsplit(media.url).path
    except ValueError:
        return UNKNOWN
    return mimetypes.guess_type(path)[0] or UNKNOWN


def file_name(media: OutgoingMedia) -> str:
    """A name for it that says nothing but its type."""
    return f"media{mimetypes.guess_extension(file_type(media)) or ''}"
