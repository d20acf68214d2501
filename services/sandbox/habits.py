"""What the network does with a page by habit, as real ones do: it names and does not tell, is stuck, forgets."""

import sqlite3
from typing import Annotated

from pydantic import Field

from services.sandbox.store import Refusal, Store
from services.sandbox.things import Request, Text

Seconds = Annotated[float, Field(gt=0, le=86_400 * 90, allow_inf_nan=False)]


class Budget(Request):
    """How many calls that change something a page has in so many seconds."""

    calls: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Seconds


class Habits(Request):
    """A page's habits; what is left out is not one.

    `names_only`: webhooks name a post and do not tell it. `hook_seconds`: a webhook ends that long after it was set.
    `wait`: every page of the log asks to be left alone for so long. `stuck`: the log gives its first page for ever.
    `forgets`: history shows nothing that is older. `moved`: where the page is found from now on. `gone`: it is deleted.
    `budget`: calls that change something are counted, and one too many is refused.
    """

    names_only: bool = False
    hook_seconds: Seconds | None = None
    wait: Seconds | None = None
    stuck: bool = False
    forgets: Seconds | None = None
    moved: Annotated[Text, Field(max_length=2000)] | None = None
    gone: bool = False
    budget: Budget | None = None


NONE = Habits()


def change(store: Store, handle: str, habits: Habits) -> None:
    """Give a page these habits in place of those it had. Raises Refusal (404) for an unknown one."""
    with store.write() as db:
        row = store.account(handle)
        if row is None:
            raise Refusal(404, "not_found", "there is no such page")
        db.execute("INSERT OR REPLACE INTO habit VALUES (?, ?)", (row["id"], habits.model_dump_json()))


def of(store: Store, account_id: str) -> Habits:
    """A page's habits."""
    row: sqlite3.Row | None = store.db.execute("SELECT body FROM habit WHERE account_id = ?", (account_id,)).fetchone()
    return Habits.model_validate_json(row[0]) if row is not None else NONE
