"""The IMAP server: pymap's protocol over our stored mailboxes, TLS from the first byte."""

from __future__ import annotations

import asyncio
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing

from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config as DictConfig
from pymap.backend.dict import Identity, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.context import connection_exit
from pymap.exceptions import InvalidAuth, UserNotFound
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing.command import Command
from pymap.parsing.command.nonauth import AuthenticateCommand, LoginCommand
from pymap.parsing.command.select import FetchCommand
from pymap.parsing.commands import Commands
from pymap.parsing.response import ResponseBye, ResponseCode, ResponseNo
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import BuiltinHash

from connectors.sandbox.faults import Faults
from connectors.sandbox.mail import PostOffice
from connectors.sandbox.wire import Wire

WHOLE = (b"BODY", b"BODY.PEEK", b"RFC822")
TRY_LATER = ResponseCode.of(b"UNAVAILABLE")


class ServerConfig(DictConfig):
    @property
    def greeting(self) -> bytes:
        return b"sandbox.test ready"


class MailIdentity(Identity):
    """Somebody with a password at the post office; the session opens their stored mailboxes."""

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        assert isinstance(self.login, MailLogin)
        account = self.login.post_office.user(self.name)
        if account is None:
            raise UserNotFound(self.name)
        assert isinstance(self.config, ServerConfig)
        yield Session(self.name, self.config, account.mailboxes, FilterSet())


class MailLogin(Login):
    def __init__(self, config: ServerConfig, post_office: PostOffice, wire: Wire) -> None:
        super().__init__(config)
        self.post_office, self.wire = post_office, wire

    async def admit(self, username: str, password: str) -> None:
        hashed = await self._passwords.hash_password(password)
        self.users_dict[username] = UserMetadata(self.config, username, password=hashed)

    async def authenticate(self, credentials: ServerCredentials) -> MailIdentity:
        try:
            identity = await super().authenticate(credentials)
        except InvalidAuth:
            self.wire.log("imap", "provider", f"sign in {credentials.authcid}", "refused", ok=False)
            raise
        self.wire.log("imap", "provider", f"sign in {credentials.authcid}", "ok")
        return MailIdentity(identity.name, self, None, identity.roles)

    async def authorize(self, authenticated: object, authzid: str) -> MailIdentity:
        identity = await super().authorize(authenticated, authzid)  # type: ignore[arg-type]
        return MailIdentity(identity.name, self, None, identity.roles)


class Connection(IMAPConnection):
    """One client. The faults that are on act here, and sign-ins and fetches go on the wire log."""

    __slots__ = ["faults", "wire"]

    def __init__(
        self,
        commands: Commands,
        config: ServerConfig,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        info: SocketInfo,
        faults: Faults,
        wire: Wire,
    ) -> None:
        super().__init__(commands, config, reader, writer, info)
        self.faults, self.wire = faults, wire

    async def read_command(self, state: ConnectionState) -> Command:
        """The next command that may be carried out; refused ones are answered here."""
        while True:
            command = await super().read_command(state)
            signs_in = isinstance(command, LoginCommand | AuthenticateCommand)
            slow = self.faults.take("imap", "slow")
            if slow is not None:
                await asyncio.sleep(slow.seconds)
            if self.faults.take("imap", "hang_after_accept") is not None:
                self.wire.log("imap", "provider", "says nothing", ok=False)
                await asyncio.sleep(3600)
            if self.faults.take("imap", "500") is not None:
                self.wire.log("imap", "provider", "closes the connection", ok=False)
                await self.write_response(ResponseBye(b"Server is going down.", TRY_LATER))
                raise ConnectionAbortedError
            if signs_in and self.faults.take("imap", "429") is not None:
                await self._refuse(command, b"Too many simultaneous connections.", b"LIMIT")
            elif signs_in and self.faults.take("imap", "refuse") is not None:
                await self._refuse(command, b"Invalid credentials.", b"AUTHENTICATIONFAILED")
            else:
                if isinstance(command, FetchCommand) and any(one.value in WHOLE for one in command.attributes):
                    self.wire.log("imap", "provider", "FETCH mail")
                return command

    async def _refuse(self, command: Command, words: bytes, code: bytes) -> None:
        self.wire.log("imap", "provider", "sign in", "refused", ok=False)
        await self.write_response(ResponseNo(command.tag, words, ResponseCode.of(code)))


class ImapServer:
    def __init__(self, post_office: PostOffice, faults: Faults, wire: Wire, tls: ssl.SSLContext) -> None:
        self.post_office, self.faults, self.wire, self.tls = post_office, faults, wire, tls
        arguments = Namespace(passlib_cfg=None, proxy_protocol=None)
        self.config = ServerConfig(
            arguments,
            demo_data=False,
            demo_user="",
            demo_password="",
            host=None,
            port=0,
            ssl_context=tls,
            tls_enabled=False,
            reject_dnsbl=False,
            hash_context=BuiltinHash(rounds=1000),
        )
        self.login = MailLogin(self.config, post_office, wire)
        self.commands = self.config.commands
        self.server: asyncio.Server | None = None
        self.clients: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> None:
        self.config.apply_context()
        for account in self.post_office.with_password():
            await self.login.admit(account.username, account.password)
        callback = ProxyProtocolReader(self.config.proxy_protocol).get_callback(self.serve)
        self.server = await asyncio.start_server(callback, host, port, ssl=self.tls)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, info: SocketInfo) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.clients.add(task)
        connection = Connection(self.commands, self.config, reader, writer, info, self.faults, self.wire)
        try:
            async with AsyncExitStack() as stack:
                connection_exit.set(stack)
                stack.enter_context(closing(connection))
                await connection.run(ConnectionState(self.login, self.config))
        except (ConnectionError, ssl.SSLError, EOFError):
            pass  # the client left
        finally:
            self.clients.discard(task)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
        for task in list(self.clients):
            task.cancel()
        await asyncio.gather(*self.clients, return_exceptions=True)
