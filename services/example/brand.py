"""The example brand, its channels and its key. What is shown once is kept in the data folder, for its owner."""

import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from services.local.folder import write_private
from services.local.plan import address
from shared.connectors.registry import CONNECTORS, connector
from shared.contract import Capability, Card
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.brands import channels, connecting, keys, organizations
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import BrandDraft, ChannelDraft
from shared.models.enums import KeyScope, Network
from shared.settings import Settings
from shared.vault import Vault

_FILE = "example.json"


async def ensure(settings: Settings, sandbox: str | None) -> dict[str, object]:
    """The example as local.json tells it; made on the first run. Its page on the practice network stands before it."""
    kept = _read(settings.data_dir / _FILE)
    if kept is None:
        assert settings.owner_database_url is not None
        db = Database(settings.owner_database_url, name="example", size=1)
        try:
            kept = await create(db, settings, sandbox, "Dunes & Co", BrandDraft(name="Dunes Café"))
        finally:
            await db.close()
        write_private(settings.data_dir / _FILE, json.dumps(kept, ensure_ascii=False, indent=1))
    addressed = _addressed(kept, settings)
    if sandbox is not None:
        await join(addressed, sandbox)
    return addressed


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return found


@dataclass(frozen=True, slots=True)
class _Page:
    """The brand's page on the practice network, and the token that speaks for it."""

    account: str
    token: str


async def create(db: Database, settings: Settings, sandbox: str | None, name: str, brand: BrandDraft) -> dict[str, Any]:
    """An organization with a brand, a key with every scope, and a channel on each network that takes webhooks.

    With the address of a practice network, also a channel there: its page is opened first, so that no poll comes early.
    """
    page = await _open_page(sandbox, brand.name) if sandbox is not None else None
    networks = [n for n, known in CONNECTORS.items() if known.card.can(Capability.WEBHOOKS)]
    now = datetime.now(UTC)
    async with db.session() as session:
        made = await organizations.create(session, name=name, brand=brand, user_name="Example", now=now)
        assert made.brand is not None
        _, api_key = await keys.create(
            session,
            organization_id=made.organization.id,
            user_id=made.user.id,
            name="example",
            scopes=[KeyScope.ALL],
            brand_id=None,
            expires_at=None,
            now=now,
        )
        scope = await scopes.house(session, made.brand.brand_id)
        vault = Vault([key.get_secret_value() for key in settings.secret_keys])
        connect = partial(_connect, session, scope, vault, settings, brand.name, now)
        connected = [
            await connect(network, page if network is Network.SANDBOX else None)
            for network in networks
            if page is not None or network is not Network.SANDBOX
        ]
    return {
        "organization_id": typeid(Prefix.ORGANIZATION, made.organization.id),
        "user_id": typeid(Prefix.USER, made.user.id),
        "brand_id": typeid(Prefix.BRAND, made.brand.brand_id),
        "api_key": api_key,
        "channels": connected,
    }


async def _open_page(sandbox: str, name: str) -> _Page:
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "brand"
    page = _Page(f"{slug}-{secrets.token_hex(3)}", f"sbx_{secrets.token_urlsafe(24)}")
    async with httpx.AsyncClient(base_url=sandbox, timeout=10) as http:
        told = {"account": page.account, "name": name[:100], "token": page.token}
        (await http.post("/api/accounts", json=told)).raise_for_status()
    return page


async def _connect(
    session: Session,
    scope: Scope,
    vault: Vault,
    settings: Settings,
    brand: str,
    now: datetime,
    network: Network,
    page: _Page | None,
) -> dict[str, object]:
    known = connector(network)
    credentials = {name: secrets.token_urlsafe(24) for name in known.card.credentials_required}
    if page is not None:
        credentials = {"access_token": page.token}
    if "verify_token" in known.card.credentials_optional:
        credentials["verify_token"] = secrets.token_urlsafe(16)
    connected = await connecting.connect(
        session,
        scope,
        vault,
        draft=ChannelDraft(
            network=network,
            name=f"{brand} on {known.card.label}"[:200],
            external_id=page.account if page is not None else str(10**14 + secrets.randbelow(10**14)),
            base_url=_base_url(known.card, settings, page),
        ),
        credentials=credentials,
        card=known.card,
        new_secret=known.new_secret(),
        hook_base_url=settings.hook_base_url,
        now=now,
    )
    if page is None and known.card.can(Capability.POLL) and known.card.asks_with is None:
        # It hears what is pushed to it. There is nothing of it elsewhere that could be asked for.
        await channels.pause(session, scope, connected.channel.id, now=now)
    return {
        "id": typeid(Prefix.CHANNEL, connected.channel.id),
        "network": network.value,
        "external_id": connected.channel.external_id,
        "webhook_url": connected.webhook_url,
        "secret": connected.shared.keys[0],
        "verify_token": connected.shared.verify_token,
        "access_token": page.token if page is not None else None,
    }


def _base_url(card: Card, settings: Settings, page: _Page | None) -> str | None:
    """The practice network's own address; of any other network one that is reserved for examples."""
    if not card.needs_base_url:
        return None
    return address(settings.host, settings.sandbox_port) if page is not None else f"https://{card.network}.example/"


def _addressed(kept: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Ports may have changed since: addresses are of today."""
    moved = [
        {**channel, "webhook_url": f"{settings.hook_base_url}/webhooks/{channel['webhook_url'].rpartition('/')[2]}"}
        for channel in kept["channels"]
    ]
    return {**kept, "channels": moved}


async def join(made: dict[str, Any], sandbox: str) -> None:
    """Let the practice network push what is said on the brand's page to our door. Its page is opened anew if lost."""
    async with httpx.AsyncClient(base_url=sandbox, timeout=10) as http:
        for channel in made["channels"]:
            if channel["network"] != Network.SANDBOX.value:
                continue
            page = {"account": channel["external_id"], "token": channel["access_token"]}
            (await http.post("/api/accounts", json=page)).raise_for_status()
            hook = {"url": channel["webhook_url"], "secret": channel["secret"]}
            bearer = {"authorization": f"Bearer {channel['access_token']}"}
            (await http.put("/api/v1/webhook", json=hook, headers=bearer)).raise_for_status()
