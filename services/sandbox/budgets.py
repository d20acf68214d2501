"""A page's budget, where it has one by habit: so many calls that change something in so many real seconds."""

from math import ceil

from services.sandbox import habits
from services.sandbox.store import Refusal, Store, wall


def spend(store: Store, account_id: str) -> dict[str, str]:
    """Take one call; the headers that say what is left. Raises Refusal (429) where nothing was."""
    habit = habits.of(store, account_id).budget
    if habit is None:
        return {}
    with store.write() as db:
        row = db.execute("SELECT ends_at, used FROM budget WHERE account_id = ?", (account_id,)).fetchone()
        now = wall()
        ends_at, used = (row["ends_at"], row["used"]) if row is not None and row["ends_at"] > now else (None, 0)
        if ends_at is None or ends_at > now + habit.seconds:
            ends_at = now + habit.seconds
        spent = min(used + 1, habit.calls)
        db.execute("INSERT OR REPLACE INTO budget VALUES (?, ?, ?)", (account_id, ends_at, spent))
    reset = str(max(1, ceil(ends_at - now)))
    headers = {"X-RateLimit-Limit": str(habit.calls), "X-RateLimit-Remaining": str(habit.calls - spent)}
    headers["X-RateLimit-Reset"] = reset
    if used >= habit.calls:
        raise Refusal(429, "rate_limited", "this page's calls are used up", headers={**headers, "Retry-After": reset})
    return headers
