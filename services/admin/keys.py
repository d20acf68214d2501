"""`parvis key …`"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from services.admin.house import House, moment, now, run, say
from shared.domain.brands import keys, organizations, sealing
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import KeyScope
from shared.models.organization import ApiKey

key = typer.Typer(no_args_is_help=True, help="API keys, and the keys that seal secrets at rest.")


@key.command("create")
def create(
    user: Annotated[str, typer.Option(help="The user whom the key belongs to, user_….")],
    scope: Annotated[list[KeyScope] | None, typer.Option(help="What it may do, repeated; all where none.")] = None,
    organization: Annotated[str | None, typer.Option(help="org_…; needed for a user of several.")] = None,
    brand: Annotated[str | None, typer.Option(help="The only brand that it may see, brand_….")] = None,
    expires: Annotated[datetime | None, typer.Option(help="When it ends, in UTC.")] = None,
    name: Annotated[str, typer.Option(help="What a person calls it.")] = "cli",
) -> None:
    """Make a key. It is shown this once."""

    async def act(house: House) -> dict[str, object]:
        user_id = parse_typeid(Prefix.USER, user)
        async with house.db.session() as session:
            of = parse_typeid(Prefix.ORGANIZATION, organization) if organization else None
            made, plain = await keys.create(
                session,
                organization_id=of or await organizations.only_of(session, user_id),
                user_id=user_id,
                name=name,
                scopes=scope or [KeyScope.ALL],
                brand_id=parse_typeid(Prefix.BRAND, brand) if brand else None,
                expires_at=expires.replace(tzinfo=UTC) if expires else None,
                now=now(),
            )
        return {**_told(made), "api_key": plain}

    say(run(act))


@key.command("list")
def list_(organization: Annotated[str, typer.Option(help="org_….")]) -> None:
    """An organization's keys, newest first."""

    async def act(house: House) -> list[dict[str, object]]:
        of = parse_typeid(Prefix.ORGANIZATION, organization)
        async with house.db.session() as session:
            return [_told(one) for one in await keys.list_(session, organization_id=of)]

    say(run(act))


@key.command("revoke")
def revoke(id: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, key_….")]) -> None:
    """End a key for good."""

    async def act(house: House) -> dict[str, object]:
        async with house.db.session() as session:
            return _told(await keys.revoke(session, key_id=parse_typeid(Prefix.API_KEY, id), now=now()))

    say(run(act))


@key.command("rotate")
def rotate() -> None:
    """Seal every secret again with the newest of PARVIS_SECRET_KEYS; then the older ones may be taken out."""

    async def act(house: House) -> dict[str, object]:
        async with house.db.session() as session:
            renewed = await sealing.reseal_platform(session, house.vault)
            brand_ids = await sealing.brand_ids(session)
        for brand_id in brand_ids:
            async with house.on_brand(brand_id) as (session, scope):
                renewed += await sealing.reseal_brand(session, scope, house.vault)
        return {"sealed_again": renewed}

    say(run(act))


def _told(one: ApiKey) -> dict[str, object]:
    return {
        "id": typeid(Prefix.API_KEY, one.id),
        "organization_id": typeid(Prefix.ORGANIZATION, one.organization_id),
        "user_id": typeid(Prefix.USER, one.user_id),
        "name": one.name,
        "start": one.start,
        "scopes": one.scopes,
        "brand_id": typeid(Prefix.BRAND, one.brand_id) if one.brand_id else None,
        "created_at": moment(one.created_at),
        "expires_at": moment(one.expires_at),
        "last_used_at": moment(one.last_used_at),
        "revoked_at": moment(one.revoked_at),
    }
