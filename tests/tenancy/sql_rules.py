"""The rules that keep one machine and a cluster the same, as far as a statement's text shows whether they are kept.

Each function takes a statement as `plain` leaves it and says what is wrong with it, or nothing.
"""

import re
from collections.abc import Callable

from shared.models.tables import TABLES, content_tables

CONTENT = frozenset(content_tables())
OUTSIDE = frozenset(TABLES) - CONTENT

_NAMES = "|".join(sorted(TABLES, key=len, reverse=True))
# After a comma a name is a table's only where a short alias follows: else it is a column's.
_REFERENCE = re.compile(
    rf'(?:\bfrom|\bjoin|\bupdate|\binto|\busing)\s+(?:only\s+)?"?\b({_NAMES})\b"?(?![.\w])'
    rf'|,\s+"?\b({_NAMES})\b"?\s+(?:as\s+)?[a-z]{{1,3}}\b(?=\s*(?:,|$|where|join|on|order))'
)
_WRITTEN = re.compile(rf'\b(?:insert into|update|delete from)\s+(?:only\s+)?"?\b({_NAMES})\b"?(?!\.)')
_CTE = re.compile(r"\bas (?:not materialized |materialized )?\(")
_NAMES_A_BRAND = re.compile(r'\bbrand_id"?\s*=(?!\s*any\b)|using\s*\(\s*"?brand_id')
# What the driver asks for itself, of types that it has not met before.
_DRIVERS_OWN = "select current_setting('') as cur, set_config('', '', false) as new"
_VOLATILE = re.compile(r"\b(random|clock_timestamp|gen_random_uuid|uuidv[47]|nextval|statement_timestamp)\s*\(")
_LOCK = re.compile(r"\bfor (?:no key update|update|key share|share)\b")
_ONE_BRAND = re.compile(r'\bbrand_id"?\s*=\s*\$\d+')


def plain(sql: str) -> str:
    """One line of lower case, without comments, quoted texts, and casts of parameters."""
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    sql = re.sub(r"'(?:[^']|'')*'", "''", sql)
    sql = re.sub(r"(\$\d+)::[\w ]+?(?=\W)", r"\1", sql + " ")
    return re.sub(r"\s+", " ", sql).strip().lower()


def tables_in(sql: str) -> list[str]:
    """The tables that a statement speaks of, once for each time."""
    return [match[1] or match[2] for match in _REFERENCE.finditer(sql)]


def scope_by_the_one_function(sql: str) -> str | None:
    if "set_config(" in sql and sql != _DRIVERS_OWN:
        return "set_config() does not reach a cluster's workers: SELECT parvis.scope($1)"
    if re.search(r"\bset (local |session )?parvis\.", sql):
        return "the scope is set by parvis.scope() only"
    if ";" in sql.rstrip("; "):
        return "several statements in one message: SET LOCAL does not come through"
    return None


def insert_select_says_what_of_conflicts(sql: str) -> str | None:
    found = re.search(rf'\binsert into "?({_NAMES})"?(?: as \w+)?\s*(?:\([^)]*\))?\s*(select|with)\b', sql)
    if found and found[1] in CONTENT and not re.search(r"\bon conflict\b|\breturning\b", sql):
        return f"INSERT … SELECT into {found[1]} without ON CONFLICT or RETURNING"
    return None


def siblings_do_not_read_what_is_written(sql: str) -> str | None:
    for opening in _CTE.finditer(sql):
        body = _inside(sql, opening.end())
        written = _WRITTEN.match(body.strip())
        if written is None or written[1] not in CONTENT:
            continue
        if written[1] in tables_in(sql.replace(body, " ")):
            return f"a CTE writes {written[1]}, and its siblings read it"
    return None


def _inside(sql: str, start: int) -> str:
    """What stands between this bracket and its own end."""
    depth = 1
    for place in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if depth == 0:
            return sql[start:place]
    return sql[start:]


def row_locks_name_one_brand(sql: str) -> str | None:
    if _LOCK.search(sql) and CONTENT & set(tables_in(sql)) and not _ONE_BRAND.search(sql):
        return "a row lock on content does not say brand_id = $n"
    return None


def each_content_table_has_its_brand(sql: str) -> str | None:
    """As many conditions on one brand as there are content tables; an INSERT's own is in its columns."""
    spoken = [name for name in tables_in(sql) if name in CONTENT]
    inserted = [m[1] for m in re.finditer(rf'\binsert into "?({_NAMES})"?', sql) if m[1] in CONTENT]
    wanted = len(spoken) - len(inserted)
    if len(_NAMES_A_BRAND.findall(sql)) < wanted:
        return f"{', '.join(sorted(set(spoken)))}: {wanted} times content, with fewer conditions on brand_id"
    return None


def content_and_the_rest_do_not_meet(sql: str) -> str | None:
    spoken = set(tables_in(sql))
    if spoken & CONTENT and spoken & OUTSIDE:
        return f"one statement over content and other tables: {', '.join(sorted(spoken))}"
    return None


def nothing_that_a_cluster_lacks(sql: str) -> str | None:
    if re.match(r"(with .*)?merge into\b", sql):
        return "MERGE"
    if "on conflict on constraint" in sql:
        return "a constraint by its name"
    written = _WRITTEN.search(sql)
    if written and written[1] in CONTENT and sql.startswith(("update", "with")) and _VOLATILE.search(sql):
        return f"a volatile function in an UPDATE of {written[1]}"
    if "left join" in sql and "unnest(" in sql and not _ONE_BRAND.search(sql) and CONTENT & set(tables_in(sql)):
        return "LEFT JOIN from unnest over several brands"
    return None


def claims_are_materialized(sql: str) -> str | None:
    if "skip locked" in sql and "as materialized (" not in sql:
        return "a claim whose choice is not materialized may lock more rows than it takes"
    return None


RULES: dict[int | str, Callable[[str], str | None]] = {
    1: scope_by_the_one_function,
    4: insert_select_says_what_of_conflicts,
    5: siblings_do_not_read_what_is_written,
    6: row_locks_name_one_brand,
    7: each_content_table_has_its_brand,
    9: claims_are_materialized,
    "9b": content_and_the_rest_do_not_meet,
    10: nothing_that_a_cluster_lacks,
}
