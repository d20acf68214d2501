"""The brand of a thing whose address does not name it."""

from uuid import UUID

from services.api.context import brand_hint, searched_brands
from services.api.rest.call import Call
from shared.domain import scope as scopes
from shared.domain.nodes import brand_of
from shared.domain.scope import Scope
from shared.ids import Prefix


async def scope_of(call: Call, prefix: Prefix, id_: UUID, hint: str | None) -> Scope:
    """The scope of the thing's brand, among the key's; `hint` is the Parvis-Brand header. Raises NotFound."""
    searched = searched_brands(call.principal, brand_hint(hint))
    await scopes.see(call.session, searched)
    brand_id = await brand_of(call.session, searched, prefix, id_)
    return await scopes.open_brand(call.session, call.principal, brand_id)
