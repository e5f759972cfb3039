import os
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

import autobahn.websocket.protocol as autobahn  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402

from inbox.routing import SameOrigin, websocket_urls  # noqa: E402

# Autobahn paints the words of a debug line for every frame it sends, also when nobody reads them: half of its price.
vars(autobahn).update(dict.fromkeys(["hltype", "hlval"], lambda words: words))

application = ProtocolTypeRouter(
    {"http": pages, "websocket": SameOrigin(CookieMiddleware(URLRouter(cast(Any, websocket_urls))))}
)
