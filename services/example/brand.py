"""The example brand, its channels and its key. What is shown once is kept in the data folder, for its owner."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from services.folder import write_private
from shared.connectors.registry import CONNECTORS, connector
from shared.contract import Capability
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.brands import connecting, keys, organizations
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import BrandDraft, ChannelDraft
from shared.models.enums import KeyScope, Network
from shared.settings import Settings
from shared.vault import Vault

_FILE = "example.json"
_ACCOUNT = "dunes-cafe"


async def ensure(settings: Settings) -> dict[str, object]:
    """The example as local.json tells it; made on the first run."""
    kept = _read(settings.data_dir / _FILE)
    if kept is None:
        assert settings.owner_database_url is not None
        db = Database(settings.owner_database_url, name="example", size=1)
        try:
            async with db.session() as session:
                kept = await create(session, settings, "Dunes & Co", BrandDraft(name="Dunes Café"))
        finally:
            await db.close()
        write_private(settings.data_dir / _FILE, json.dumps(kept, ensure_ascii=False, indent=1))
    return _addressed(kept, settings)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return found


async def create(session: Session, settings: Settings, name: str, brand: BrandDraft) -> dict[str, object]:
    """An organization with a brand, a key with every scope, and a channel on each network that takes webhooks."""
    now = datetime.now(UTC)
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
    vault = Vault([_plain(key) for key in settings.secret_keys])
    networks = [n for n, known in CONNECTORS.items() if known.card.can(Capability.WEBHOOKS) or n is Network.SANDBOX]
    return {
        "organization_id": typeid(Prefix.ORGANIZATION, made.organization.id),
        "user_id": typeid(Prefix.USER, made.user.id),
        "brand_id": typeid(Prefix.BRAND, made.brand.brand_id),
        "api_key": api_key,
        "channels": [await _connect(session, scope, vault, settings, network, now) for network in networks],
    }


def _plain(key: SecretStr) -> str:
    return key.get_secret_value()


async def _connect(
    session: Session, scope: Scope, vault: Vault, settings: Settings, network: Network, now: datetime
) -> dict[str, object]:
    known = connector(network)
    account = f"{_ACCOUNT}-{secrets.token_hex(3)}" if network is Network.SANDBOX else None
    credentials = {name: secrets.token_urlsafe(24) for name in known.card.credentials_required}
    if "verify_token" in known.card.credentials_optional:
        credentials["verify_token"] = secrets.token_urlsafe(16)
    connected = await connecting.connect(
        session,
        scope,
        vault,
        draft=ChannelDraft(
            network=network,
            name=f"Dunes Café on {known.card.label}",
            external_id=account or str(10**14 + secrets.randbelow(10**14)),
            base_url=f"http://{settings.host}:{settings.sandbox_port}" if known.card.needs_base_url else None,
        ),
        credentials=credentials,
        card=known.card,
        new_secret=known.new_secret(),
        hook_base_url=settings.hook_base_url,
        now=now,
    )
    return {
        "id": typeid(Prefix.CHANNEL, connected.channel.id),
        "hook_id": typeid(Prefix.HOOK, connected.channel.hook_id),
        "network": network.value,
        "external_id": connected.channel.external_id,
        "secret": connected.shared.keys[0],
        "verify_token": connected.shared.verify_token,
        "access_token": credentials.get("access_token") if network is Network.SANDBOX else None,
    }


def _addressed(kept: dict[str, Any], settings: Settings) -> dict[str, object]:
    """Ports may have changed since: addresses are of today."""
    channels = [
        {**channel, "webhook_url": f"{settings.hook_base_url}/webhooks/{channel['hook_id']}"}
        for channel in kept["channels"]
    ]
    return {**kept, "channels": channels}


async def join(local: dict[str, Any]) -> None:
    """Give the example its page on the practice network, which pushes what is said there to our door."""
    async with httpx.AsyncClient(base_url=str(local["sandbox"]), timeout=10) as http:
        for channel in local["channels"]:
            if channel["network"] != Network.SANDBOX.value:
                continue
            page = {"account": channel["external_id"], "name": "Dunes Café", "token": channel["access_token"]}
            (await http.post("/api/accounts", json=page)).raise_for_status()
            hook = {"url": channel["webhook_url"], "secret": channel["secret"]}
            bearer = {"authorization": f"Bearer {channel['access_token']}"}
            (await http.put("/api/v1/webhook", json=hook, headers=bearer)).raise_for_status()
