"""The shapes that this network takes and shows. Requests are checked here, once."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

TEXT_LIMIT = 10_000
MEDIA_LIMIT = 10

Kind = Literal["post", "comment", "reply", "message", "review", "story", "article"]
Verb = Literal["created", "edited", "deleted", "hidden", "unhidden", "reacted", "unreacted"]
Audience = Literal["everyone", "followers"]


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a character (a lone surrogate) stands in it") from None
    return text


Text = Annotated[str, AfterValidator(_encodable)]
Handle = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_encodable)
]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), AfterValidator(_encodable)]
Followers = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Rating = Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]


def show(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, so that two moments also sort as texts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _only_text(value: object) -> object:
    if isinstance(value, str | datetime):
        return value
    raise ValueError("a time is written as RFC 3339, such as 2026-03-01T09:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time is too far away") from None


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_only_text),
    AfterValidator(_in_utc),
    PlainSerializer(show, return_type=str, when_used="json"),
]


class Request(BaseModel):
    """A body that this network takes: a field it doesn't know is refused, never passed over."""

    model_config = ConfigDict(extra="forbid")


class Media(Request):
    url: Annotated[Text, Field(min_length=1, max_length=2000)]
    kind: Word = "image"
    alt: Annotated[Text, Field(max_length=2000)] | None = None


MediaList = Annotated[list[Media], Field(max_length=MEDIA_LIMIT)]


class Author(BaseModel):
    """`followers` is left out where nobody said how many there are."""

    id: str
    handle: str
    name: str
    kind: Literal["page", "person"]
    url: str
    followers: int | None = None

    @model_serializer(mode="wrap")
    def _as_far_as_known(self, write: SerializerFunctionWrapHandler) -> dict[str, object]:
        shown: dict[str, object] = write(self)
        if self.followers is None:
            del shown["followers"]
        return shown


class Counters(BaseModel):
    likes: int = 0
    replies: int = 0
    shares: int = 0
    views: int = 0


class Post(BaseModel):
    """Anything that is said. `text` is None once it is deleted."""

    id: str
    url: str
    account: str
    author: Author
    kind: Kind
    text: str | None
    parent_id: str | None
    rating: float | None
    media: list[Media]
    visibility: Literal["public", "private"]
    client_id: str | None
    published_at: Moment
    edited_at: Moment | None
    deleted: bool
    deleted_at: Moment | None
    counters: Counters
    hidden: bool = False
    audience: Audience = "everyone"


class Reaction(BaseModel):
    post_id: str
    account: str
    by: Author
    reaction: str
    counters: Counters


class Change(BaseModel):
    """One line of the change log: `post` or `reaction`, never both."""

    number: int
    verb: Verb
    at: Moment
    post: Post | None = None
    reaction: Reaction | None = None

    def shown(self) -> dict[str, object]:
        """The change as the log and the webhook show it, without the key that it has not."""
        absent = {name for name in ("post", "reaction") if getattr(self, name) is None}
        return self.model_dump(mode="json", exclude=absent)

    def named(self) -> dict[str, object]:
        """The change as who only names things shows it: which post it is about, and no more."""
        of = self.post.id if self.post is not None else self.reaction.post_id if self.reaction is not None else None
        return {"number": self.number, "verb": "named", "at": show(self.at), "post_id": of}


class NewAccount(Request):
    account: Handle
    name: Handle | None = None
    token: Annotated[str, Field(min_length=20, max_length=200, pattern=r"^[\w-]+$")] | None = None


class Say(Request):
    account: Handle
    as_: Annotated[Handle, Field(alias="as")]
    text: Text = ""
    kind: Kind | None = None
    parent_id: Annotated[Text, Field(max_length=100)] | None = None
    rating: Rating | None = None
    media: MediaList = []
    name: Handle | None = None
    followers: Followers | None = None


class Publish(Request):
    text: Text = ""
    media: MediaList = []
    parent_id: Annotated[Text, Field(max_length=100)] | None = None
    client_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    audience: Audience = "everyone"


class Edit(Request):
    text: Text | None = None
    rating: Rating | None = None

    @model_validator(mode="after")
    def _something(self) -> "Edit":
        if self.text is None and self.rating is None:
            raise ValueError("say the new text, the new rating or both")
        return self


class React(Request):
    as_: Annotated[Handle, Field(alias="as")]
    reaction: Word = "like"
    on: bool = True


class Hide(Request):
    on: bool = True


def _near(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 2200:
        raise ValueError("the clock goes from 1970 to 2200")
    return moment


class SetClock(Request):
    at: Annotated[Moment, AfterValidator(_near)] | None


class Refresh(Request):
    refresh_token: Annotated[Text, Field(min_length=1, max_length=200)]


class LogIn(Request):
    """How long the login's access tokens last."""

    seconds: Annotated[float, Field(gt=0, le=86_400 * 90, allow_inf_nan=False)] = 3600


class Subscribe(Request):
    url: Annotated[Text, StringConstraints(pattern=r"^https?://[^\s/]+", max_length=2000)]
    secret: Annotated[Text, Field(min_length=1, max_length=500)]
