"""Brands whose time is not everybody's: those that live on a network that keeps a time of its own."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Interval
from sqlmodel import Field, SQLModel


class BrandClock(SQLModel, table=True):
    """How far a brand's time is ahead of the real one; without a row it is not."""

    __tablename__ = "brand_clock"
    brand_id: UUID = Field(primary_key=True)
    ahead: timedelta = Field(sa_type=Interval)
