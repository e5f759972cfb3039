"""Debian's Dovecot as an ordinary process on a free port: a mail server that nobody here has written."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from connectors.messages import Account
from tests.payloads.email.servers import certificate

PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin") or ""
MISSING = "Dovecot is not installed (the Debian package dovecot-imapd); its tests did not run."
USER, PASSWORD, TOKEN = "support@shop.example", "right-password", "right-token"

CONFIG = """
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
ssl = required
ssl_cert = <{home}/mail.pem
ssl_key = <{home}/mail.pem
auth_mechanisms = plain login xoauth2
mail_location = maildir:{home}/mail/%u
mail_max_userip_connections = 100
imap_idle_notify_interval = 29 mins
service imap-login {{
  chroot =
  process_min_avail = 2
  inet_listener imap {{
    port = {starttls}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/passwords
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner_group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox "Sent Mail" {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Spam {{
    auto = create
    special_use = \\Junk
  }}
}}
"""
TOKENS = """
introspection_mode = post
introspection_url = http://127.0.0.1:{port}/
username_attribute = user
active_attribute = active
active_value = true
"""


@dataclass
class Dovecot:
    home: Path
    tls: int
    starttls: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, token_port: int = 0) -> Self:
        """Ready when this returns. `token_port`: where XOAUTH2 tokens are looked up."""
        home = Path(tempfile.mkdtemp(prefix="dovecot-"))
        home.chmod(0o755)
        me = pwd.getpwuid(os.geteuid())
        owner = pwd.getpwnam("nobody") if me.pw_uid == 0 else me  # Dovecot reads no mail as root
        for name in ("mail", "run"):
            (home / name).mkdir(mode=0o755)
        os.chown(home / "mail", owner.pw_uid, owner.pw_gid)
        certificate(home)
        (home / "passwords").write_text(f"{USER}:{PASSWORD}\n")
        (home / "oauth2.conf").write_text(TOKENS.format(port=token_port))
        tls, starttls = free_port(), free_port()
        names = ("dovecot", "dovecot", "dovenull") if me.pw_uid == 0 else (me.pw_name, _group(me), me.pw_name)
        (home / "dovecot.conf").write_text(
            CONFIG.format(
                home=home, tls=tls, starttls=starttls, owner=owner.pw_uid, owner_group=owner.pw_gid,
                internal=names[0], group=names[1], login=names[2],
            )
        )  # fmt: skip
        process = subprocess.Popen([PROGRAM, "-F", "-c", str(home / "dovecot.conf")])
        running = cls(home, tls, starttls, process)
        running._wait()
        return running

    @property
    def pem(self) -> Path:
        return self.home / "mail.pem"

    def account(self, *, port: int = 0, password: str = PASSWORD, security: str = "ssl", **options: str) -> Account:
        secrets = {
            "imap_host": "127.0.0.1", "imap_port": str(port or (self.tls if security == "ssl" else self.starttls)),
            "imap_username": USER, "imap_password": password, "imap_security": security,
        }  # fmt: skip
        return Account("1", (USER,), secrets=secrets, options=options)

    def put(self, name: str, raw: bytes, folder: str = "") -> None:
        """Deliver as an MTA does: written aside, then renamed into the folder."""
        maildir = self.home / "mail" / USER / (f".{folder}" if folder else "")
        for each in ("tmp", "new", "cur"):
            self._owned(maildir / each)
        (maildir / "tmp" / name).write_bytes(raw)
        self._give(maildir / "tmp" / name)
        (maildir / "tmp" / name).rename(maildir / "new" / name)

    def empty(self) -> None:
        """As if nobody had ever written: a new mailbox, with another UIDVALIDITY."""
        mail = self.home / "mail" / USER
        if mail.exists():
            mail.rename(mail.with_name(f"old-{time.monotonic_ns()}"))

    def admin(self, *words: str) -> None:
        """A doveadm command on the mailbox."""
        tool = Path(PROGRAM).with_name("doveadm")
        program = tool if tool.exists() else shutil.which("doveadm") or "doveadm"
        verbs = 1 if words[0] == "expunge" else 2
        command = [program, "-c", self.home / "dovecot.conf", *words[:verbs], "-u", USER, *words[verbs:]]
        subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.tls)) == 0:
                    return
            time.sleep(0.05)  # polling another process; nothing announces this to us
        log = self.home / "log"
        raise RuntimeError(f"Dovecot did not start: {log.read_text() if log.exists() else 'it left no log'}")

    def _owned(self, folder: Path) -> None:
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o755)
            self._give(each)

    def _give(self, path: Path) -> None:
        owner = (self.home / "mail").stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _group(me: pwd.struct_passwd) -> str:
    import grp

    return grp.getgrgid(me.pw_gid).gr_name
