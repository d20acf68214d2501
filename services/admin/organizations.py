"""`parvis organization …`"""

from typing import Annotated, Any

import typer

from services.admin.house import House, now, run, say
from services.example.brand import create as create_with_channels
from services.example.brand import join
from services.local import folder
from shared.domain.brands import keys, organizations
from shared.ids import Prefix, typeid
from shared.models.brand import BrandDraft
from shared.models.enums import KeyScope

organization = typer.Typer(no_args_is_help=True, help="Agencies and companies.")


@organization.callback()
def _group() -> None:
    """Agencies and companies."""


@organization.command("create")
def create(
    name: Annotated[str, typer.Option(help="The agency's or company's name.")],
    brand: Annotated[str | None, typer.Option(help="A brand that it owns, with a channel on each network.")] = None,
) -> None:
    """Make an organization with a user and a key; with --brand also a brand and its first channels."""
    say(run(lambda house: _create(house, name, brand)))


async def _create(house: House, name: str, brand: str | None) -> dict[str, Any]:
    if brand is None:
        return await _without_brand(house, name)
    local = folder.read_local(house.settings.data_dir)
    sandbox = str(local["sandbox"]) if local is not None and local.get("sandbox") else None
    made = await create_with_channels(house.db, house.settings, sandbox, name, BrandDraft(name=brand))
    if sandbox is not None:
        await join(made, sandbox)
    return made


async def _without_brand(house: House, name: str) -> dict[str, Any]:
    async with house.db.session() as session:
        made = await organizations.create(session, name=name, brand=None, user_name=name, now=now())
        _, plain = await keys.create(
            session,
            organization_id=made.organization.id,
            user_id=made.user.id,
            name="first",
            scopes=[KeyScope.ALL],
            brand_id=None,
            expires_at=None,
            now=now(),
        )
    return {
        "organization_id": typeid(Prefix.ORGANIZATION, made.organization.id),
        "user_id": typeid(Prefix.USER, made.user.id),
        "brand_id": None,
        "api_key": plain,
        "channels": [],
    }
