"""The example brand: made on the first run, joined to the practice network, and played to through the real door."""

from services.example.brand import ensure, join
from services.example.play import play

__all__ = ["ensure", "join", "play"]
