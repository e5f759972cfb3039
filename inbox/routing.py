"""Where sockets connect, and from which pages: only from our own public address."""

from __future__ import annotations

from typing import Any, cast

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.urls import path

from inbox.consumers import Feed

websocket_urls = [path("ws/", cast(Any, Feed.as_asgi()))]


class SameOrigin:
    """Refuses a missing, `null`, foreign or look-alike Origin before the socket is accepted."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if origins != [settings.PUBLIC_URL.encode()]:
            return await cast(Any, WebsocketDenier())(scope, receive, send)
        return await self.application(scope, receive, send)
