"""A door as a project template writes it: FastAPI, a pydantic body, a SQLModel session, one INSERT and commit each.

It keeps what Parvis keeps: a checked signature, a unique key, and an answer after the commit.
"""

import base64
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import JSON, Column, DateTime, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

engine = create_async_engine(os.environ["TEMPLATE_DATABASE_URL"], pool_size=20, max_overflow=0)
secret = base64.b64decode(os.environ["TEMPLATE_SECRET"].removeprefix("whsec_"))
app = FastAPI()


class Delivery(SQLModel, table=True):
    __tablename__ = "template_delivery"
    __table_args__ = (UniqueConstraint("hook_id", "message_id"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    hook_id: str
    message_id: str
    payload: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    received_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Author(BaseModel):
    id: str
    handle: str | None = None
    name: str | None = None


class Mention(BaseModel):
    id: str
    kind: str
    text: str
    author: Author
    published_at: datetime
    parent_id: str | None = None


class Payload(BaseModel):
    mentions: list[Mention]
    deleted: list[str] = []


async def session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as opened:
        yield opened


async def verified(
    request: Request,
    webhook_id: Annotated[str, Header()],
    webhook_timestamp: Annotated[str, Header()],
    webhook_signature: Annotated[str, Header()],
) -> str:
    if abs(int(webhook_timestamp) - datetime.now(UTC).timestamp()) > 300:
        raise HTTPException(401, "too old")
    signed = f"{webhook_id}.{webhook_timestamp}.".encode() + await request.body()
    expected = "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    if not hmac.compare_digest(expected, webhook_signature):
        raise HTTPException(401, "bad signature")
    return webhook_id


@app.post("/webhooks/{hook_id}")
async def receive(
    hook_id: str,
    payload: Payload,
    message_id: Annotated[str, Depends(verified)],
    opened: Annotated[AsyncSession, Depends(session)],
) -> dict[str, Any]:
    delivery = Delivery(
        hook_id=hook_id,
        message_id=message_id,
        payload=payload.model_dump(mode="json"),
        received_at=datetime.now(UTC),
    )
    opened.add(delivery)
    try:
        await opened.commit()
    except IntegrityError:
        return {"duplicate": True}
    await opened.refresh(delivery)
    return {"arrival_id": str(delivery.id), "duplicate": False}
