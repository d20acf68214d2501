"""The settings table of docs/operate.md, made from Settings: printed, written (`--write`), or compared (`--check`)."""

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from shared.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "operate.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable behind a field."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{Settings.model_config['env_prefix']}{name.upper()}"


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, tuple) and value:
        return f"`{','.join(map(str, value))}`"
    return "unset" if value is None or value == () else f"`{value}`"


def table() -> str:
    """One row a setting, in the order of the class."""
    rows = [
        f"| `{variable(name, field)}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| Variable | Default | What it is |", "|---|---|---|", *rows])


def with_table(page: str) -> str:
    """The page with the table as it is now. Raises ValueError where the page has no place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the settings table: it stands between {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Print, write or compare; 1 where the page is not up to date."""
    if not arguments:
        print(table())
        return 0
    found = page.read_text("utf-8")
    wanted = with_table(found)
    if arguments == ["--write"]:
        page.write_text(wanted, "utf-8")
        return 0
    if arguments != ["--check"]:
        print("say --write, --check or nothing", file=sys.stderr)
        return 2
    if found != wanted:
        print(f"{page.name}: the settings table is not up to date: run `make schemas`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
