"""Our registrations with networks: made by whoever runs the house, or by us with servers that take registrations."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from pydantic import field_validator
from sqlalchemy import or_, select, text
from sqlmodel import Field, SQLModel, col

from shared.contract import AppLogin, Secret
from shared.db import Session
from shared.domain.brands import audit, hooks
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, new_uuid, typeid
from shared.models.base import JsonObject
from shared.models.channel import App, Hook
from shared.models.enums import Network
from shared.vault import Vault


class AppDraft(SQLModel):
    """What the network's own pages say of our registration there. `signing_key` is what it signs deliveries with."""

    network: Network
    name: str = Field(min_length=1, max_length=200)
    external_id: str | None = Field(default=None, max_length=500)
    base_url: str | None = Field(default=None, max_length=2000)
    client_id: str | None = Field(default=None, max_length=500)
    client_secret: str | None = Field(default=None, max_length=10_000, repr=False)
    scopes: list[str] = Field(default_factory=list, max_length=100)
    signing_key: str | None = Field(default=None, max_length=10_000, repr=False)
    verify_token: str | None = Field(default=None, max_length=1000, repr=False)

    @field_validator("base_url")
    @classmethod
    def _one_form(cls, value: str | None) -> str | None:
        return server(value) if value is not None else None


def server(base_url: str) -> str:
    """The one form of a server's address: lower case where that means nothing, no slash at its end."""
    parts = urlsplit(base_url.strip())
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


def root(base_url: str) -> str:
    """The server behind an address, whatever page of it somebody typed in."""
    return urlunsplit(urlsplit(server(base_url))._replace(path=""))


def place(app_id: UUID) -> str:
    """Where an app's client secret is sealed for."""
    return f"app:{app_id}:client_secret"


def login(vault: Vault, app: App) -> AppLogin:
    """What the app signs in with at its network. Raises UnknownKey."""
    assert app.client_id is not None
    secret = vault.open(app.client_secret, place(app.id)) if app.client_secret is not None else ""
    return AppLogin(app.client_id, secret, app.base_url)


async def keep(session: Session, vault: Vault, *, draft: AppDraft, hears: bool, now: datetime) -> tuple[App, bool]:
    """Register an app, over the owner's connection, and whether anything is new. `hears`: networks post to its hook.

    The one that people consent to on this server is changed rather than doubled: a new signing key goes in front of
    the one before. One that was removed comes back as it was, its address and its channels with it.
    """
    _validate(draft, hears=hears)
    known = await _named(session, draft) if draft.client_id is not None else None
    app = known or App(id=new_uuid(), network=draft.network, name=draft.name, base_url=draft.base_url, created_at=now)
    before = app.model_dump(exclude={"client_secret"}) if known is not None else None
    was = login(vault, app).client_secret if known is not None else None
    app.name, app.external_id, app.scopes = draft.name, draft.external_id, list(draft.scopes)
    app.client_id, app.redirect_uri, app.registering_until, app.removed_at = draft.client_id, None, None, None
    if draft.client_secret is not None and draft.client_secret != was:
        app.client_secret = vault.seal(draft.client_secret, place(app.id))
    session.add(app)
    is_signed_anew = await _keep_hook(session, vault, app, draft, now) if hears else False
    is_new = before != app.model_dump(exclude={"client_secret"}) or draft.client_secret != was or is_signed_anew
    await session.flush()
    if is_new:
        await audit.add(
            session, None, "app.add" if known is None else "app.change", typeid(Prefix.APP, app.id), _said(app)
        )
    return app, is_new


def _validate(draft: AppDraft, *, hears: bool) -> None:
    if (draft.client_id is None) != (draft.client_secret is None):
        raise Invalid([Problem("required", "a client id and its secret come together", ("client_id",))])
    if hears and not (draft.signing_key or draft.client_secret):
        raise Invalid([Problem("required", "say what the network signs deliveries with", ("signing_key",))])
    if not hears and draft.client_id is None:
        sentence = "this network pushes to no app: only a client id and its secret are of use here"
        raise Invalid([Problem("required", sentence, ("client_id",))])


async def _named(session: Session, draft: AppDraft) -> App | None:
    query = select(App).where(
        col(App.network) == draft.network,
        col(App.base_url).is_not_distinct_from(draft.base_url),
        col(App.client_id).is_not(None),
        or_(col(App.removed_at).is_(None), col(App.client_id) == draft.client_id),
    )
    # The one that is there, else the one of this name that was removed last.
    query = query.order_by(col(App.removed_at).desc().nulls_first()).limit(1)
    found: App | None = await session.scalar(query.with_for_update())
    return found


async def _keep_hook(session: Session, vault: Vault, app: App, draft: AppDraft, now: datetime) -> bool:
    key = draft.signing_key or draft.client_secret
    assert key is not None
    hook = await session.get(Hook, app.hook_id) if app.hook_id is not None else None
    if hook is not None:
        before, was_removed = hooks.open_secret(vault, hook.id, hook.secret), hook.removed_at is not None
        hook.removed_at = None
        if key == before.keys[0] and draft.verify_token in {None, before.verify_token}:
            return was_removed
        hooks.renew_secret(vault, hook, key=key, verify_token=draft.verify_token)
        return True
    shared = Secret((key,), draft.verify_token or secrets.token_urlsafe(24))
    hook = Hook(
        id=new_uuid(),
        network=app.network,
        app_id=app.id,
        external_id=app.external_id,
        key_digests=hooks.digests(shared.keys),
        secret=b"",
        created_at=now,
    )
    hook.secret = hooks.seal(vault, hook.id, shared)
    app.hook_id = hook.id
    session.add(hook)
    return True


async def hook_of(session: Session, app: App) -> Hook | None:
    """The app's own hook, over the owner's connection."""
    return await session.get(Hook, app.hook_id) if app.hook_id is not None else None


async def list_(session: Session) -> list[App]:
    """The installation's apps, newest first."""
    query = (
        select(App)
        .where(col(App.removed_at).is_(None), or_(col(App.client_id).is_not(None), col(App.hook_id).is_not(None)))
        .order_by(col(App.id).desc())
    )
    return list((await session.execute(query)).scalars())


async def remove(session: Session, app_id: UUID, *, now: datetime) -> App:
    """End an app: its hook answers 404 and its secret is gone. Channels keep the logins that they have."""
    app = await session.get(App, app_id, with_for_update=True)
    if app is None or app.removed_at is not None:
        raise NotFound(f"there is no app with the id {typeid(Prefix.APP, app_id)!r}")
    app.removed_at, app.client_secret = now, None
    hook = await hook_of(session, app)
    if hook is not None:
        hook.removed_at = now
    await session.flush()
    await audit.add(session, None, "app.remove", typeid(Prefix.APP, app.id), _said(app))
    return app


async def find(session: Session, network: Network, base_url: str | None) -> App | None:
    """The app by which people of this server give consent."""
    query = select(App).where(
        col(App.network) == network,
        col(App.base_url).is_not_distinct_from(base_url),
        col(App.client_id).is_not(None),
        col(App.removed_at).is_(None),
    )
    found: App | None = await session.scalar(query)
    return found


async def of_network(session: Session, network: Network) -> list[App]:
    """The apps by which people of a network give consent, whatever their server."""
    query = select(App).where(
        col(App.network) == network, col(App.client_id).is_not(None), col(App.removed_at).is_(None)
    )
    return list((await session.execute(query.order_by(col(App.id)))).scalars())


async def get(session: Session, app_id: UUID) -> App | None:
    """One app that is not removed."""
    app = await session.get(App, app_id)
    return app if app is not None and app.removed_at is None else None


_CLAIM = text("""
INSERT INTO app AS a (id, network, name, base_url, scopes, registering_until)
VALUES (:id, :network, :name, :base_url, '{}', clock_timestamp() + :lease)
ON CONFLICT (network, base_url)
      WHERE removed_at IS NULL AND (client_id IS NOT NULL OR registering_until IS NOT NULL)
DO UPDATE SET registering_until = excluded.registering_until
 WHERE coalesce(a.registering_until, '-infinity') < clock_timestamp()
   AND (a.client_id IS NULL OR a.redirect_uri <> :redirect_uri OR a.client_id = :forgotten)
RETURNING a.id
""")


async def claim_registration(
    session: Session,
    *,
    network: Network,
    base_url: str,
    name: str,
    redirect_uri: str,
    lease: timedelta,
    forgotten: str | None = None,
) -> UUID | None:
    """The right to register with a server, for one at a time; None where somebody is at it, or it is done.

    `forgotten` is the client id that the server no longer knows, where it is done again.
    """
    wanted = {
        "id": new_uuid(),
        "network": network.value,
        "name": name,
        "base_url": base_url,
        "redirect_uri": redirect_uri,
        "lease": lease,
        "forgotten": forgotten,
    }
    found: UUID | None = (await session.execute(_CLAIM, wanted)).scalar_one_or_none()
    return found


async def registered(
    session: Session, vault: Vault, app_id: UUID, *, login: AppLogin, scopes: Sequence[str], redirect_uri: str
) -> App:
    """Keep what a server gave us when we registered with it."""
    app = await session.get_one(App, app_id, with_for_update=True)
    app.client_id, app.scopes, app.redirect_uri = login.client_id, list(scopes), redirect_uri
    app.client_secret = vault.seal(login.client_secret, place(app_id))
    app.registering_until = None
    await session.flush()
    return app


async def give_up(session: Session, app_id: UUID) -> None:
    """Registering did not end well: the next one may try at once."""
    await session.execute(text("UPDATE app SET registering_until = clock_timestamp() WHERE id = :id"), {"id": app_id})


def _said(app: App) -> JsonObject:
    return {"network": app.network.value, "base_url": app.base_url}
