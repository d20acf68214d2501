"""What publishing's tests have, and something that somebody said."""

from tests.domain.publishing.conftest import desk

__all__ = ["desk"]
