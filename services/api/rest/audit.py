"""Who did what to a brand."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import KeyRef, UserRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.brands import audit
from shared.models.base import JsonObject
from shared.models.organization import AuditEntry

router = APIRouter(prefix="/v1/brands/{brand_id}/audit", route_class=TransactedRoute, tags=["audit"])


class AuditEntryRead(Read):
    """One deed. `target` is the public id of what it was done to."""

    action: str
    target: str
    user_id: UserRef | None
    api_key_id: KeyRef | None
    details: JsonObject
    at: datetime


class AuditEntryList(ListRead[AuditEntryRead]):
    pass


def _read(entry: AuditEntry) -> AuditEntryRead:
    return AuditEntryRead.model_validate(entry, from_attributes=True)


@router.get("", response_model=AuditEntryList, summary="What was done to the brand, newest first")
async def list_audit_entries(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await audit.search(call.session, scope, page=page, cursors=call.services.cursors), _read)
