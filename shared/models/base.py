"""The few column shapes that all tables share."""

from typing import Any, cast

from sqlalchemy import ARRAY, BigInteger, Date, DateTime, LargeBinary, MetaData, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata

# SQLModel types `sa_type` as a class; the instances that carry arguments are what SQLAlchemy wants.
TIME = cast(Any, DateTime(timezone=True))
TEXT = cast(Any, Text())
TEXTS = cast(Any, ARRAY(Text()))
UUIDS = cast(Any, ARRAY(Uuid()))
DATES = cast(Any, ARRAY(Date()))
BYTES = cast(Any, LargeBinary())
BIGINT = cast(Any, BigInteger())
JSON_VALUE = cast(Any, JSONB(none_as_null=True))

NOW = {"server_default": func.now()}

JsonObject = dict[str, Any]
JsonList = list[JsonObject]
