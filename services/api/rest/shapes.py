"""What all REST bodies and parameters share."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from shared.contract import read_moment, storable
from shared.domain.page import MOST, Page, PageRequest

T = TypeVar("T")
Row = TypeVar("Row")


class Body(BaseModel):
    """What a caller sends: a field that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid")


class Read(BaseModel):
    """What a caller gets."""

    # A field that may be null is always there, so generated clients know it as required.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ListRead(Read, Generic[T]):
    """One page of a list."""

    data: list[T]
    next_cursor: str | None
    has_more: bool


def _moment(value: object) -> object:
    # A plus sign that was not escaped in a query arrives as a space.
    return read_moment(value[:11] + value[11:].replace(" ", "+")) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]


def page_request(
    limit: Annotated[
        int,
        Query(description=f"How many, 1 to {MOST}.", json_schema_extra={"minimum": 1, "maximum": MOST}),
    ] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(page_request)]


def listed(page: Page[Row], read: Callable[[Row], Any]) -> dict[str, Any]:
    """A page as its answer."""
    return {"data": [read(item) for item in page.items], "next_cursor": page.next_cursor, "has_more": page.has_more}


def whole(items: list[Any]) -> dict[str, Any]:
    """A list that has one page only."""
    return {"data": items, "next_cursor": None, "has_more": False}
