"""The HTTP face of the Graph API for Instagram Login: versioned paths, bearer tokens, Meta's error bodies."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from connectors.sandbox.config import Connector
from connectors.sandbox.graph_api import DirectMessage, Graph, GraphError
from connectors.sandbox.graph_sign_in import SignIn, username

VERSION = r"/{version:v\d+\.\d+}"
NEWEST_WITH_DETAILS = 20
Handler = Callable[[web.Request, Connector], Awaitable[dict[str, Any]]]


class GraphRest:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.sign_in = SignIn(graph)
        signed_in = (each for each in graph.connectors.values() if each.access_token)
        self.subscribed: dict[str, list[str]] = {each.address: ["messages"] for each in signed_in}

    def routes(self) -> list[web.RouteDef]:
        return [
            *self.sign_in.routes(),
            web.post(f"{VERSION}/{{id}}/messages", self.guarded(self.send)),
            web.get(f"{VERSION}/me", self.guarded(self.me)),
            web.get(f"{VERSION}/{{id}}/conversations", self.guarded(self.conversations)),
            web.post(f"{VERSION}/{{id}}/subscribed_apps", self.guarded(self.subscribe)),
            web.get(f"{VERSION}/{{id}}/subscribed_apps", self.guarded(self.subscriptions)),
            web.get(f"{VERSION}/{{id}}", self.guarded(self.object)),
            web.get("/ig_messaging_cdn/", self.media),
        ]

    def guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The token, the faults that are on, errors in Meta's shape, a line on the wire."""

        async def guard(request: web.Request) -> web.StreamResponse:
            faults, began = self.graph.faults, asyncio.get_running_loop().time()
            try:
                connector = self.authenticate(request)
                slow = faults.take("graph", "slow")
                if slow is not None:
                    await asyncio.sleep(slow.seconds)
                if faults.take("graph", "429") is not None:
                    raise GraphError(613, "(#613) Calls to this api have exceeded the rate limit.", 2534040)
                if faults.take("graph", "500") is not None:
                    raise GraphError(2, "An unexpected error has occurred.", status=500, transient=True)
                body = await handler(request, connector)
            except GraphError as error:
                self.log(request, began, f"{error.status} · {error.code}/{error.subcode}", error.message, ok=False)
                return _refusal(error)
            if request.method == "POST" and faults.take("graph", "hang_after_accept") is not None:
                self.log(request, began, "accepted, then hung up", ok=False)
                if request.transport is not None:
                    request.transport.abort()
                return web.json_response(body)
            self.log(request, began, "200")
            usage = json.dumps({"call_count": 1, "total_cputime": 1, "total_time": 1})
            return web.json_response(body, headers={"X-App-Usage": usage})

        return guard

    def log(self, request: web.Request, began: float, result: str, detail: str = "", *, ok: bool = True) -> None:
        ms = round((asyncio.get_running_loop().time() - began) * 1000)
        name = request.path.rpartition("/")[2]
        what = f"{request.method} {name if len(name) < 24 else name[:16] + '…'}"
        self.graph.wire.log("graph", "provider", what, result, f"{ms} ms", detail=detail or request.path, ok=ok)

    def authenticate(self, request: web.Request) -> Connector:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token if scheme.lower() == "bearer" else request.query.get("access_token", "")
        if not token:
            raise GraphError(190, "An access token is required to request this resource.", status=401)
        connector = self.graph.connector_for(token) or self.sign_in.connector_for(token)
        if connector is None:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        if self.graph.faults.take("graph", "bad_token") is not None:
            raise GraphError(190, "Error validating access token: Session has expired.", 463, status=401)
        return connector

    def own(self, request: web.Request, connector: Connector) -> None:
        """The path must mean the account whose token this is."""
        if request.match_info["id"] not in ("me", connector.address):
            raise _nothing(request.match_info["id"])

    async def send(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        self.own(request, connector)
        try:
            body = await request.json()
        except ValueError:
            raise GraphError(100, "(#100) The body is not JSON.") from None
        if not isinstance(body, dict):
            raise GraphError(100, "(#100) The body is not an object.")
        return dict(await self.graph.accept(connector, body))

    async def me(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        everything = {
            "user_id": connector.address,
            "username": username(connector),
            "name": connector.name,
            "account_type": "BUSINESS",
            "profile_picture_url": None,
            "instagram_business_account": {"id": connector.address, "username": username(connector)},
        }
        wanted = request.query.get("fields", "user_id,username").partition("{")[0].split(",")
        return {name: everything[name] for name in wanted if name in everything} | {"id": "9" + connector.address[1:]}

    async def conversations(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        self.own(request, connector)
        mine = [one for one in self.graph.messages.values() if one.account == connector.address]
        person = request.query.get("user_id", "")
        newest = {one.person: one for one in sorted(mine, key=lambda one: one.at) if person in ("", one.person)}
        found = sorted(newest.values(), key=lambda one: one.at, reverse=True)
        data = [{"id": _conversation(connector, one.person), "updated_time": _time(one)} for one in found]
        return {"data": data, "paging": {}}

    async def object(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        """A message, a conversation or a person, whatever this id names."""
        named = request.match_info["id"]
        message = self.graph.messages.get(named)
        if message is not None and message.account == connector.address:
            return self.message(message)
        people = {one.person for one in self.graph.messages.values() if one.account == connector.address}
        for person in people:
            if _conversation(connector, person) == named:
                return self.one_conversation(connector, person, named)
        known = self.graph.people.by_instagram(named)
        if known is not None:
            wanted = request.query.get("fields", "name").split(",")
            profile = self.graph.profile(known)
            return {name: profile[name] for name in wanted if name in profile} | {"id": named}
        if named.isdigit():
            raise GraphError(100, "(#100) No matching user found.", 2534014)
        raise _nothing(named)

    def one_conversation(self, connector: Connector, person: str, id: str) -> dict[str, Any]:
        """Newest first; older than the 20 newest answer as deleted, as Meta's do."""
        newest = list(reversed(self.graph.conversation(connector.address, person)))[:NEWEST_WITH_DETAILS]
        return {"id": id, "messages": {"data": [self.message(one) for one in newest], "paging": {}}}

    def message(self, message: DirectMessage) -> dict[str, Any]:
        if message.is_unsent:
            raise GraphError(9000001, "This message has been deleted.")
        theirs, ours = {"id": message.person}, {"id": message.account}
        sender, recipient = (theirs, ours) if message.direction == "sent" else (ours, theirs)
        body: dict[str, Any] = {
            "id": message.mid,
            "created_time": _time(message),
            "from": sender,
            "to": {"data": [recipient]},
            "message": message.text,
        }
        if message.files:
            body["attachments"] = {
                "data": [{"image_data": {"url": self.graph.media_url(file["file"])}} for file in message.files]
            }
        return body

    async def subscribe(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        self.own(request, connector)
        self.subscribed[connector.address] = request.query.get("subscribed_fields", "messages").split(",")
        return {"success": True}

    async def subscriptions(self, request: web.Request, connector: Connector) -> dict[str, Any]:
        self.own(request, connector)
        fields = self.subscribed.get(connector.address, [])
        return {"data": [{"subscribed_fields": fields}] if fields else []}

    async def media(self, request: web.Request) -> web.StreamResponse:
        """A signed link of Meta's content network: no token wanted."""
        file = self.graph.store.file(request.query.get("asset_id", ""))
        if file is None:
            return web.Response(status=404, text="URL signature expired")
        return web.FileResponse(file.path, headers={"Content-Type": file.content_type})


def _refusal(error: GraphError) -> web.Response:
    body: dict[str, Any] = {
        "message": error.message,
        "type": "OAuthException",
        "code": error.code,
        "fbtrace_id": "A" + secrets.token_urlsafe(16),
    }
    if error.subcode:
        body["error_subcode"] = error.subcode
    if error.transient or error.code == 613:
        body["is_transient"] = error.transient
    return web.json_response({"error": body}, status=error.status)


def _nothing(id: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation.",
        33,
    )


def _conversation(connector: Connector, person: str) -> str:
    return f"aWdfZAG06{connector.address}T{person}"


def _time(message: DirectMessage) -> str:
    return datetime.fromtimestamp(message.at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
