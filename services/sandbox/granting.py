"""The doors of consent for programs: register an app, turn a code into tokens, ask which pages were given."""

import hmac
from typing import Annotated
from urllib.parse import parse_qs

import httpx
from fastapi import APIRouter
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from services.sandbox import consents
from services.sandbox.people import store_of
from services.sandbox.store import Refusal
from services.sandbox.things import Handle, Request, Text

router = APIRouter(prefix="/api/oauth")

Uri = Annotated[Text, Field(min_length=1, max_length=2000)]


class NewApp(Request):
    name: Handle
    redirect_uris: Annotated[list[Uri], Field(min_length=1, max_length=20)]
    deauthorize_url: Uri | None = None
    deletion_url: Uri | None = None


class Withdraw(Request):
    as_: Annotated[Handle, Field(alias="as")]
    client_id: Handle
    forget: bool = False


@router.post("/apps", status_code=201)
async def register(request: HttpRequest, body: NewApp) -> dict[str, str]:
    client_id, secret = consents.register(
        store_of(request), body.name, body.redirect_uris, body.deauthorize_url, body.deletion_url
    )
    return {"client_id": client_id, "client_secret": secret, "name": body.name}


@router.post("/token")
async def token(request: HttpRequest) -> Response:
    fields = {name: values[0] for name, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
    store = store_of(request)
    client = consents.client(store, fields.get("client_id", ""))
    secret = fields.get("client_secret", "").encode()
    if client is None or not hmac.compare_digest(client["secret"].encode(), secret):
        return _refused(401, "invalid_client")
    if fields.get("grant_type") != "authorization_code":
        return _refused(400, "unsupported_grant_type")
    if not all(fields.get(name) for name in ("code", "redirect_uri", "code_verifier")):
        return _refused(400, "invalid_request")
    redeemed = consents.redeem(
        store,
        fields["code"],
        client_id=client["id"],
        redirect_uri=fields["redirect_uri"],
        verifier=fields["code_verifier"],
    )
    if redeemed is None:
        return _refused(400, "invalid_grant")
    access_token, scope = redeemed
    return _unkept(JSONResponse({"access_token": access_token, "token_type": "Bearer", "scope": scope}))


@router.get("/pages")
async def pages(request: HttpRequest) -> dict[str, object]:
    store = store_of(request)
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    grant = consents.person_of(store, bearer.strip()) if scheme.lower() == "bearer" else None
    if grant is None:
        raise Refusal(401, "invalid_token", "send Authorization: Bearer with a person's token")
    return {
        "person": {"id": grant["person_id"], "handle": grant["handle"]},
        "pages": [
            {"account": row["handle"], "name": row["name"], "token": row["token"], "may": row["scopes"].split()}
            for row in consents.pages_of(store, grant)
        ],
    }


@router.post("/withdraw")
async def withdraw(request: HttpRequest, body: Withdraw) -> dict[str, object]:
    """End what a person granted, and tell the app: once, since who practises wants to see what came of it."""
    store = store_of(request)
    person, client = store.account(body.as_), consents.client(store, body.client_id)
    if person is None or client is None:
        raise Refusal(404, "not_found", "there is no such person, or no such app")
    ended = consents.withdraw(store, person["id"], client["id"])
    url = client["deletion_url"] if body.forget else client["deauthorize_url"]
    told = await _tell(url, consents.signed_request(client["secret"], person["id"])) if url is not None else None
    return {"tokens": ended, "told": told}


async def _tell(url: str, signed: str) -> dict[str, object]:
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            answer = await http.post(url, data={"signed_request": signed})
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return {"error": type(error).__name__}
    return {"status": answer.status_code, "answer": answer.text[:1000]}


def _refused(status: int, error: str) -> Response:
    return _unkept(JSONResponse({"error": error}, status_code=status))


def _unkept(response: Response) -> Response:
    response.headers["cache-control"] = "no-store"
    return response
