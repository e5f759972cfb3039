"""Meta's two sign-ins: a page that asks, a code for whoever agrees, tokens for the code, newer tokens for old ones.

Everybody who comes here owns every account of the configuration. Codes are good once; a token younger than a day is not
renewed.
"""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from connectors.sandbox.config import Connector, is_loopback
from connectors.sandbox.graph_api import Graph, GraphError

VERSION = r"/{version:v\d+\.\d+}"
LIFE = 60 * 24 * 3600
A_DAY = 24 * 3600
PERMISSIONS = ("instagram_business_basic", "instagram_business_manage_messages")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox: sign in</title>
<main><h1>Let this app read and answer your messages?</h1>{choices}<p><a href="{no}">Not now</a></p></main></html>"""
HEADERS = {"Content-Security-Policy": "default-src 'none'; base-uri 'none'", "Referrer-Policy": "no-referrer"}


@dataclass(slots=True)
class Token:
    """`address`: the account it speaks for, or for which somebody signed in."""

    value: str
    address: str
    made_at: float


class SignIn:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tokens = {each["value"]: Token(**each) for each in graph.store.all("token")}
        self.codes: dict[str, tuple[str, str]] = {}  # code → account, redirect address

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/authorize", self.ask),
            web.get(f"{VERSION}/dialog/oauth", self.ask),
            web.get("/oauth/allow", self.allow),
            web.post("/oauth/access_token", self.exchange_code),
            web.get("/access_token", self.lengthen),
            web.get("/refresh_access_token", self.refresh),
            web.get(f"{VERSION}/oauth/access_token", self.page_token),
            web.get(f"{VERSION}/me/permissions", self.permissions),
            web.get(f"{VERSION}/me/accounts", self.pages),
        ]

    def connector_for(self, value: str) -> Connector | None:
        token = self.tokens.get(value)
        return self.graph.connectors.get(token.address) if token else None

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The page on which the owner agrees. One link for each account."""
        redirect = request.query.get("redirect_uri", "")
        if not is_loopback(urlsplit(redirect).hostname or ""):
            return web.Response(status=400, text="The sandbox sends people back to loopback only.")
        back = {"redirect_uri": redirect, "state": request.query.get("state", "")}
        links = [
            f'<p><a href="/oauth/allow?{html.escape(urlencode(back | {"account": address}))}">Allow for '
            f"{html.escape(connector.name or address)}</a></p>"
            for address, connector in self.graph.connectors.items()
        ]
        refused = {"error": "access_denied", "error_reason": "user_denied", "state": back["state"]}
        no = f"{redirect}?{urlencode(refused | {'error_description': 'The user denied your request.'})}"
        body = PAGE.format(choices="".join(links), no=html.escape(no))
        return web.Response(text=body, content_type="text/html", headers=HEADERS)

    async def allow(self, request: web.Request) -> web.StreamResponse:
        redirect, account = request.query.get("redirect_uri", ""), request.query.get("account", "")
        if not is_loopback(urlsplit(redirect).hostname or "") or account not in self.graph.connectors:
            return web.Response(status=400, text="Nobody asked for this.")
        code = secrets.token_urlsafe(40)
        self.codes[code] = (account, redirect)
        answer = urlencode({"code": code, "state": request.query.get("state", "")})
        self.graph.wire.log("graph", "provider", "sign-in allowed", "302")
        raise web.HTTPFound(f"{redirect}?{answer}#_")

    async def exchange_code(self, request: web.Request) -> web.StreamResponse:
        """The one place with an error shape of its own."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            address = self._redeem(form)
        except GraphError as error:
            body = {"error_type": "OAuthException", "code": 400, "error_message": error.message}
            return web.json_response(body, status=400)
        token = self._make(address)
        scoped = int("9" + address[1:])
        found = {"access_token": token.value, "user_id": scoped, "permissions": ",".join(PERMISSIONS)}
        return web.json_response({"data": [found]})

    async def lengthen(self, request: web.Request) -> web.StreamResponse:
        token = self.tokens.get(request.query.get("access_token", ""))
        if token is None or request.query.get("grant_type") != "ig_exchange_token":
            return _refusal("Invalid OAuth access token - Cannot parse access token")
        return _long(self._make(token.address))

    async def refresh(self, request: web.Request) -> web.StreamResponse:
        """A token of the configuration is as old as it needs to be."""
        value = request.query.get("access_token", "")
        token, configured = self.tokens.get(value), self.graph.connector_for(value)
        if self.graph.faults.take("graph", "bad_token") is not None or (token is None and configured is None):
            return _refusal("Error validating access token: Session has expired.")
        if token and time.time() - token.made_at < A_DAY:
            return _refusal("The access token must be at least 24 hours old.", code=10)
        address = token.address if token else (configured.address if configured else "")
        return _long(self._make(address))

    async def page_token(self, request: web.Request) -> web.StreamResponse:
        """Facebook's side: a code, or an owner's short token, for a token of the owner's."""
        query = dict(request.query)
        if query.get("grant_type") == "fb_exchange_token":
            short = self.tokens.get(query.get("fb_exchange_token", ""))
            return _long(self._make(short.address)) if short else _refusal("Invalid OAuth access token.")
        try:
            token = self._make(self._redeem(query))
        except GraphError as error:
            return _refusal(error.message, code=100)
        return web.json_response({"access_token": token.value, "token_type": "bearer"})

    async def permissions(self, request: web.Request) -> web.StreamResponse:
        names = (
            "instagram_basic",
            "instagram_manage_messages",
            "pages_manage_metadata",
            "pages_show_list",
            "pages_messaging",
            "pages_read_engagement",
        )
        return web.json_response({"data": [{"permission": name, "status": "granted"} for name in names]})

    async def pages(self, request: web.Request) -> web.StreamResponse:
        """Every account has a page of the same name."""
        data = [
            {
                "id": "5" + address[1:],
                "name": connector.name,
                "access_token": self._make(address).value,
                "tasks": ["MESSAGING", "MODERATE"],
                "instagram_business_account": {"id": address, "username": username(connector)},
            }
            for address, connector in self.graph.connectors.items()
        ]
        return web.json_response({"data": data})

    def _redeem(self, form: Mapping[str, str]) -> str:
        """The account a code stands for. Raises `GraphError`."""
        address, redirect = self.codes.pop(form.get("code", ""), ("", ""))
        if not address:
            raise GraphError(100, "Invalid authorization code")
        connector = self.graph.connectors[address]
        if redirect != form.get("redirect_uri"):
            raise GraphError(100, "Error validating verification code: redirect_uri differs")
        if (connector.app_id, connector.app_secret) != (form.get("client_id"), form.get("client_secret")):
            raise GraphError(100, "Error validating client secret.")
        return address

    def _make(self, address: str) -> Token:
        token = Token("IG" + secrets.token_hex(40), address, time.time())
        self.tokens[token.value] = token
        self.graph.store.put("token", token.value, asdict(token))
        return token


def username(connector: Connector) -> str:
    return "".join(letter for letter in connector.name.lower() if letter.isalnum()) or "shop"


def _long(token: Token) -> web.Response:
    return web.json_response({"access_token": token.value, "token_type": "bearer", "expires_in": LIFE})


def _refusal(message: str, code: int = 190) -> web.Response:
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A0"}
    return web.json_response({"error": error}, status=400)
