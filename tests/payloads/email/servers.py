"""Real SMTP and IMAP servers on free loopback ports, in a thread, with certificates of a throw-away authority."""

from __future__ import annotations

import asyncio
import ssl
import threading
from argparse import Namespace
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import Cleartext

T = TypeVar("T")
USER, PASSWORD = "support@shop.example", "right-password"


def certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file that also serves as the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_context(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(15)

    def stop(self, server: asyncio.Server) -> None:
        async def cancel() -> None:
            server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.run(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(15)
        self.loop.close()


@contextmanager
def smtp_server(handler: object, context: ssl.SSLContext, *, implicit: bool = False) -> Iterator[int]:
    """aiosmtpd with `handler`; STARTTLS required, or TLS from the first byte. Yields the port."""

    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    def protocol() -> SMTP:
        return SMTP(
            handler,
            hostname="mx.test",
            tls_context=None if implicit else context,
            require_starttls=not implicit,
            authenticator=authenticate,
            auth_require_tls=not implicit,
            data_size_limit=20_000_000,
            loop=loop.loop,
        )

    async def start() -> asyncio.Server:
        return await loop.loop.create_server(protocol, "127.0.0.1", 0, ssl=context if implicit else None)

    loop = Loop()
    server = loop.run(start())
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.stop(server)


class Imap:
    """pymap's in-memory server. `cut` drops every connection, as a crash does."""

    def __init__(self, context: ssl.SSLContext, *, implicit: bool = True) -> None:
        self.loop = Loop()
        self.writers: list[asyncio.StreamWriter] = []
        self.server = self.loop.run(self._start(context, implicit=implicit))
        self.port = int(self.server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        async def abort() -> None:
            for writer in self.writers:
                writer.transport.abort()

        self.loop.run(abort())

    def stop(self) -> None:
        self.cut()
        self.loop.stop(self.server)

    async def _start(self, context: ssl.SSLContext, *, implicit: bool) -> asyncio.Server:
        settings = Namespace(
            host=["127.0.0.1"], port="0", debug=False, cert=None, key=None, tls=not implicit, passlib_cfg=None,
            proxy_protocol=None, inherited_sockets=None, demo_data=False, demo_user=USER, demo_password=PASSWORD,
        )  # fmt: skip
        backend, config = await DictBackend.init(
            settings, ssl_context=context, invalid_user_sleep=0, hash_context=Cleartext()
        )
        imap = IMAPServer(backend.login, config)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writers.append(writer)
            config.apply_context()
            await imap(reader, writer, SocketInfoLocal(writer))

        return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context if implicit else None)


class Scripted:
    """An IMAP server that says what a test tells it to: `answer` gets a command line without its tag."""

    def __init__(self, context: ssl.SSLContext, answer: Callable[[str], list[bytes]]) -> None:
        self.loop = Loop()
        self.answer = answer
        self.heard: list[str] = []
        self.server = self.loop.run(self._start(context))
        self.port = int(self.server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        self.loop.stop(self.server)

    async def _start(self, context: ssl.SSLContext) -> asyncio.Server:
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = self._serve
        return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        asked = ""  # the tag of a command whose continuation the client sends next
        while line := await reader.readline():
            tag, _, command = line.decode().strip().partition(" ")
            if asked:
                tag, command = asked, line.decode().strip()
            self.heard.append(command)
            said = self.answer(command)
            if not said and command == "CAPABILITY":
                said = [b"* CAPABILITY IMAP4rev1 IDLE", b"%s OK done"]
            for reply in said or [b"%s OK done"]:
                if reply == b"HANG UP":
                    writer.transport.abort()
                    return
                if reply == b"SILENCE":
                    await asyncio.Event().wait()
                writer.write((reply % tag.encode() if reply.startswith(b"%s") else reply) + b"\r\n")
            asked = tag if any(line.startswith(b"+") for reply in said for line in reply.splitlines()) else ""
            await writer.drain()
