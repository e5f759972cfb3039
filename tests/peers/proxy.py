"""A wire that misbehaves: a TCP proxy that cuts, goes half-open or drips, in front of any server."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Self


class Proxy:
    """Forwards to a local port. Set before a connection is made: `cut_after` bytes from the server the connection is
    reset, from `silent_after` on nothing is passed any more while it stays open, `rate` is bytes a second."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.cut_after = self.silent_after = self.rate = 0
        self.cut_upstream_after = 0  # the same for bytes to the server
        self.connections = 0
        self.sockets: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """Every connection, as a restarted router does."""
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.connections += 1
            self.sockets += [client, server]
            for source, sink, limit in ((client, server, "cut_upstream_after"), (server, client, "cut_after")):
                threading.Thread(target=self._pump, args=(source, sink, getattr(self, limit)), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, cut_after: int) -> None:
        passed, silent, rate = 0, False, self.rate
        with suppress(OSError):
            while data := source.recv(min(65536, max(1, rate // 10)) if rate else 65536):
                silent = silent or bool(self.silent_after and passed + len(data) > self.silent_after)
                if silent:
                    continue  # swallowed; nobody is told
                if cut_after and passed + len(data) > cut_after:
                    sink.sendall(data[: cut_after - passed])
                    break
                if rate:
                    time.sleep(len(data) / rate)  # the slow line itself
                sink.sendall(data)
                passed += len(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the other direction
            one.close()  # what still comes is answered with a reset, not swallowed until a time-out
