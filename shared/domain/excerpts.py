"""The beginning of a text, as notices and calendars show it."""


def excerpt(text: str, most: int) -> str:
    """The text on one line, of at most so many characters; what is left out is marked."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
