import os
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import SessionMiddlewareStack  # noqa: E402

from inbox.routing import SameOrigin, websocket_urls  # noqa: E402

application = ProtocolTypeRouter(
    {"http": pages, "websocket": SameOrigin(SessionMiddlewareStack(URLRouter(cast(Any, websocket_urls))))}
)
