"""All far ends together in one event loop: start, run, stop."""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
from pathlib import Path

from aiohttp import web

from connectors.sandbox import certificates
from connectors.sandbox.config import Config, Refused
from connectors.sandbox.control import Control, only_from_here
from connectors.sandbox.faults import Faults
from connectors.sandbox.graph_api import Graph
from connectors.sandbox.graph_rest import GraphRest
from connectors.sandbox.imap import ImapServer
from connectors.sandbox.mail import PostOffice
from connectors.sandbox.people import People
from connectors.sandbox.phone import Phone
from connectors.sandbox.smtp import SmtpServer
from connectors.sandbox.store import Store
from connectors.sandbox.story import Story
from connectors.sandbox.twilio_api import Twilio
from connectors.sandbox.twilio_rest import TwilioRest
from connectors.sandbox.webhooks import Webhooks
from connectors.sandbox.wire import Wire

LARGEST_REQUEST = 4 * 1024 * 1024


class Sandbox:
    """`await start()`, use it, `await stop()`. Raises `Refused` with a sentence when it cannot start."""

    def __init__(self, config: Config, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.wire, self.faults, self.store = Wire(), Faults(), Store(folder)
        self.people = People(config.customers, self.store)
        self.webhooks = Webhooks(self.wire, self.faults)
        self.twilio = Twilio(config, self.people, self.store, self.webhooks, self.faults, self.wire)
        self.graph = Graph(config, self.people, self.store, self.webhooks, self.faults, self.wire)
        self.post_office = PostOffice(config, self.people, folder / "mail", self.wire)
        self.phone = Phone(config, self.people, self.store, self.post_office, self.twilio, self.graph)
        self.story = Story(self.phone, self.wire)
        self.control = Control(config, self.people, self.phone, self.story, self.faults, self.store, self.wire)
        self.tls = self._tls(folder)
        self.smtp = SmtpServer(self.post_office, self.faults, self.wire, self.tls)
        self.imap = ImapServer(self.post_office, self.faults, self.wire, self.tls)
        self.runner: web.AppRunner | None = None

    def _tls(self, folder: Path) -> ssl.SSLContext:
        cert_file, key_file = self.config.cert_file, self.config.key_file
        if cert_file is None or key_file is None:
            _, cert_file, key_file = certificates.ensure(folder / "tls")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(cert_file, key_file)
        except (OSError, ssl.SSLError) as error:
            raise Refused(f"The sandbox cannot use the certificate {cert_file}: {error}.") from error
        return context

    async def start(self) -> None:
        application = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[only_from_here])
        application.add_routes(self.control.routes())
        application.add_routes(TwilioRest(self.twilio).routes())
        application.add_routes(GraphRest(self.graph).routes())
        await self.webhooks.open()
        self.runner = web.AppRunner(application, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self.runner.setup()
        site = web.TCPSite(self.runner, self.config.host, self.config.http_port)
        try:
            await _listen("pages and APIs", self.config.http_port, site.start())
            await _listen("SMTP", self.config.smtp_port, self.smtp.start(self.config.host, self.config.smtp_port))
            await _listen("IMAP", self.config.imap_port, self.imap.start(self.config.host, self.config.imap_port))
        except Refused:
            await self.stop()
            raise

    async def stop(self) -> None:
        self.story.stop()
        self.wire.listeners.clear()
        await self.imap.close()
        await self.smtp.close()
        if self.runner is not None:
            await self.runner.cleanup()
        await self.webhooks.close()
        self.store.close()


async def _listen(what: str, port: int, start: object) -> None:
    try:
        await start  # type: ignore[misc]
    except OSError as error:
        reason = "another program has it" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise Refused(f"The sandbox cannot listen for {what} on port {port}: {reason}.") from error


async def run(config: Config, folder: Path, stopped: asyncio.Event) -> None:
    """The sandbox from start to `stopped`."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells every command
    sandbox = Sandbox(config, folder)
    await sandbox.start()
    print(f"sandbox: the customer's phone is at {config.base_url}/", flush=True)
    await stopped.wait()
    await sandbox.stop()
