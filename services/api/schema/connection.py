"""Lists in pages, as Relay wants them."""

from typing import Any, Generic, TypeVar, cast

import strawberry
from strawberry import UNSET

from services.api.context import Context
from shared.domain.page import Page, PageRequest
from shared.ids import Prefix, typeid

T = TypeVar("T")
V = TypeVar("V")
Info = strawberry.Info[Context, Any]

FIRST = 20


def public_id(prefix: Prefix) -> Any:
    """The `id` field of a type whose rows have one."""

    def resolve(root: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(typeid(prefix, root.id))

    return strawberry.field(resolver=resolve)


@strawberry.interface(description="A thing with an id of its own.")
class Node:
    id: strawberry.ID


@strawberry.type(description="Whether more follows, and the cursor to go on `after`.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    node: T
    cursor: str


@strawberry.type
class Connection(Generic[T]):
    """One page. `nodes` are the things themselves, `edges` the things with their cursors."""

    page: strawberry.Private[Page[Any]]
    is_first: strawberry.Private[bool]

    @strawberry.field
    def nodes(self) -> list[T]:
        return cast(list[T], self.page.items)

    @strawberry.field
    def edges(self) -> list[Edge[T]]:
        return [Edge(node=item, cursor=self.page.cursor_of(item)) for item in self.page.items]

    @strawberry.field
    def page_info(self) -> PageInfo:
        items, cursor_of = self.page.items, self.page.cursor_of
        return PageInfo(
            has_next_page=self.page.has_more,
            has_previous_page=not self.is_first,
            start_cursor=cursor_of(items[0]) if items else None,
            end_cursor=cursor_of(items[-1]) if items else None,
        )


def given(value: V) -> V | None:
    """What the caller gave; None where nothing was."""
    return None if value is UNSET else value


def requested(first: int | None, after: str | None) -> PageRequest:
    """The page that `first` and `after` ask for. Raises Invalid (`limit_out_of_range`)."""
    return PageRequest(FIRST if first is None else first, after if isinstance(after, str) else None)


def connection(page: Page[Any], request: PageRequest) -> Any:
    """A page as its connection; the type stands in the schema."""
    return Connection[Any](page=page, is_first=request.cursor is None)
