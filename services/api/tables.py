"""Tables as answers: CSV (RFC 4180) and NDJSON, line by line as they are read.

A stream that breaks is cut off before its last chunk, which every HTTP/1.1 client tells as an error; NDJSON also ends
with a line that says how many came before it.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from shared.errors import Invalid, Problem

# A program for spreadsheets takes a cell that begins so for a formula, and runs it.
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SEPARATED = " | "
Row = Sequence[object]


class TableForm(StrEnum):
    """How a table is written."""

    CSV = "csv"
    NDJSON = "ndjson"


_TYPES = {TableForm.CSV: "text/csv; charset=utf-8; header=present", TableForm.NDJSON: "application/x-ndjson"}
CSV_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A line of names, then the rows."}
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
NDJSON_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        # Generators of clients that don't know the first take the second.
        "content": {"application/x-ndjson": _BYTES, "application/octet-stream": _BYTES},
        "description": 'As application/x-ndjson: an object a line, and then one of the form `{"rows": 12}`.',
    }
}


def most(limit: int | None) -> int | None:
    """How many rows are wanted. Raises Invalid."""
    if limit is not None and limit < 1:
        raise Invalid([Problem("limit_out_of_range", "limit is 1 or more", ("limit",))], code="limit_out_of_range")
    return limit


def csv_lines(rows: Iterable[Row]) -> bytes:
    """Rows as they stand in the table."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def json_lines(rows: Iterable[object]) -> bytes:
    """A line for each."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


def last_line(rows: int) -> bytes:
    """What NDJSON ends with."""
    return json_lines([{"rows": rows}])


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case int() | float():
            return str(value)
        case list():
            return harmless(_SEPARATED.join(str(one) for one in value))
        case _:
            return harmless(str(value))


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: what would be a formula has an apostrophe before it."""
    return f"'{text}" if text.lstrip().startswith(_FORMULAS) or text[:1] in {"\t", "\r", "\n"} else text


async def streamed(pieces: AsyncIterator[bytes], form: TableForm, name: str) -> StreamingResponse:
    """The answer. What the first piece raises is raised here, before anything is answered."""
    first = await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    headers = {"content-disposition": f'attachment; filename="{name}.{form.value}"', "cache-control": "no-store"}
    return StreamingResponse(whole(), 200, headers, _TYPES[form])
