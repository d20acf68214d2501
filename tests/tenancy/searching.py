"""What a tenant searches for in a day."""

from shared.ids import Prefix
from tests.tenancy.tenants import Tenant, World


async def search(world: World, tenant: Tenant) -> None:
    """In each order, with a filter beside the words, and by a view; what is found shows where the words are."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/mentions"
    for params in (
        {"q": tenant.name},
        {"q": tenant.name, "order": "oldest"},
        {"q": tenant.name, "order": "best"},
        {"q": tenant.name, "order": "best", "network": "generic"},
        {"view": tenant.id(Prefix.VIEW), "q": tenant.name},
    ):
        answer = await world.api.get(place, params=params, headers=tenant.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"], params
