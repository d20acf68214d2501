"""What forms of posts have in common, and what is said of them."""

from services.api.rest.ids import PostRef
from services.api.rest.mentions import MediaRead
from services.api.rest.shapes import Read


class PartRead(Read):
    """What follows in the same thread."""

    text: str
    media: list[MediaRead]


class WarningRead(Read):
    """Worth a second look; nothing is refused for it. `post_id` is the other post, where there is one."""

    code: str
    message: str
    path: list[str | int]
    post_id: PostRef | None
