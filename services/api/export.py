"""`python -m services.api.export [--check]`: the two schemas as committed files, for those who build on them."""

import json
import sys
from pathlib import Path

from services.api.app import create_app
from services.api.schema import sdl
from shared.settings import Settings

_DOCS = Path(__file__).parents[2] / "docs"


def schemas() -> dict[Path, str]:
    """Each file's path and what should stand in it."""
    document = create_app(Settings.model_construct()).openapi()
    return {
        _DOCS / "openapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        _DOCS / "schema.graphql": sdl(),
    }


def stale() -> list[Path]:
    """The files that are missing or differ from the code."""
    return [path for path, text in schemas().items() if not path.exists() or path.read_text("utf-8") != text]


def main() -> None:
    if "--check" in sys.argv[1:]:
        found = stale()
        for path in found:
            sys.stderr.write(f"{path} is not what the code says: run `python -m services.api.export`\n")
        sys.exit(1 if found else 0)
    for path, text in schemas().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
