"""`parvis status`: what runs, what waits and how old it is, what fails and why."""

from services.seeing.status import status

__all__ = ["status"]
