"""PostgreSQL as Django knows it, but whether a pooled connection is alive is looked at, not asked: a server that went
away has closed its end, or said that it would. Asking costs a round trip for each page and each webhook."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        while True:
            connection: Connection[Any] = super().get_new_connection(conn_params)
            if self.pool is None or not (connection.closed or has_news(connection)):
                return connection
            connection.close()
            self.pool.putconn(connection)  # which makes another one in its place


def has_news(connection: Connection[Any]) -> bool:
    """Nobody asked anything, so what can be read is a farewell (or a new setting; then one too many is closed)."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
