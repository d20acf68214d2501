"""`python -m services.api.schema` writes docs/schema.graphql; with `--check` it only says whether the file is stale."""

import sys
from pathlib import Path

from services.api.schema import sdl

FILE = Path(__file__).resolve().parents[3] / "docs" / "schema.graphql"


def main() -> int:
    text = sdl()
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
        return 0
    if FILE.exists() and FILE.read_text() == text:
        return 0
    sys.stderr.write(f"{FILE} is stale: run `python -m services.api.schema`\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
