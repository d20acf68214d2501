"""What forms of posts have in common, and what is said of them."""

from datetime import datetime

from services.api.rest.ids import MediaRef, PostRef
from services.api.rest.shapes import Read


class MediaItemRead(Read):
    """One of the brand's media, or what stands on the web."""

    media_id: MediaRef | None
    url: str | None
    kind: str
    alt: str | None


class FormPartRead(Read):
    """What follows in the same thread, as it is written."""

    text: str
    media: list[MediaItemRead]


class WarningRead(Read):
    """Worth a second look; nothing is refused for it. `post_id` is the other post, where there is one."""

    code: str
    message: str
    path: list[str | int]
    post_id: PostRef | None


class FigureRead(Read):
    """What the network counted, by its last count of an hour; null: it did not say."""

    hour: datetime
    counted_at: datetime
    likes: int | None
    replies: int | None
    shares: int | None
    views: int | None
