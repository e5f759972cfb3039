"""Child processes that cannot outlive us: they end with their parent, are remembered on disk, start again."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2): the signal a child gets when its parent dies, even by kill -9
LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


class Trouble(Exception):
    """Something the person who typed the command can mend. The text is one sentence for them."""


@dataclass
class Process:
    """One long-running child. Its output goes to `log/<name>.log`, its pid and start time to `run/<name>.pid`."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    var: Path
    stop_signal: signal.Signals = signal.SIGTERM
    user: int | None = None
    failures: int = 0
    due_at: float = 0.0
    started_at: float = 0.0
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.var / "log" / f"{self.name}.log"

    @property
    def memory(self) -> Path:
        return self.var / "run" / f"{self.name}.pid"

    def start(self) -> None:
        parent = os.getpid()

        def tie_to_parent() -> None:
            if _libc is not None:
                _libc.prctl(PR_SET_PDEATHSIG, int(self.stop_signal))
                if os.getppid() != parent:  # it died before the line above
                    os._exit(1)

        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the rest in order
                preexec_fn=tie_to_parent,  # noqa: PLW1509 - it only makes two system calls
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )
        self.started_at = time.monotonic()
        draft = self.memory.with_suffix(".new")  # whole or not at all, whenever we are killed
        draft.write_text(f"{self.child.pid} {start_time(self.child.pid)} {int(self.stop_signal)}")
        draft.replace(self.memory)

    def died(self) -> bool:
        """True once the child has ended; whatever it left behind in its process group has then been ended too."""
        if self.child is None or self.child.returncode is not None:
            return True
        pid = self.child.pid
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        signal_group(pid, signal.SIGKILL)  # before reaping: until then nobody else can own this number
        self.child.wait()
        return True

    def restart_later(self) -> float:
        """Seconds until the next start: none after a good run, then 0.2 s doubling up to 10 s."""
        self.failures = 0 if time.monotonic() - self.started_at > 10 else self.failures + 1
        delay = 0.0 if self.failures <= 1 else min(10.0, 0.1 * 2**self.failures)
        self.due_at = time.monotonic() + delay
        return delay

    def ask_to_stop(self) -> None:
        if self.child is not None and not self.died():
            signal_group(self.child.pid, self.stop_signal)

    def forget(self) -> None:
        self.memory.unlink(missing_ok=True)

    def last_words(self, lines: int = 3) -> str:
        """The last lines it wrote, for a person who must find out why it stopped."""
        if not self.log.exists():
            return ""
        text = self.log.read_bytes()[-4000:].decode(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def stop_all(processes: Sequence[Process], patience: float = 5.0) -> None:
    """Asks all of them at once, waits up to `patience` seconds for the slowest, then kills."""
    for process in processes:
        process.ask_to_stop()
    deadline = time.monotonic() + patience
    for process in processes:
        while not process.died():
            if time.monotonic() > deadline and process.child is not None:
                signal_group(process.child.pid, signal.SIGKILL)
            time.sleep(0.02)
        process.forget()


def end_orphans(run: Path, patience: float = 5.0) -> list[str]:
    """Ends what an earlier start left behind (its supervisor was killed); returns the names. Start times tell our
    children from strangers who were given the same pid since."""
    orphans: dict[Path, tuple[int, str]] = {}
    for memory in run.glob("*.pid"):
        match memory.read_text().split():
            case [word, started, stop_signal] if word.isdigit() and start_time(int(word)) == started:
                orphans[memory] = int(word), started
                signal_group(int(word), int(stop_signal))
            case _:
                memory.unlink(missing_ok=True)
    deadline = time.monotonic() + patience
    for memory, (pid, started) in orphans.items():
        while start_time(pid) == started:
            if time.monotonic() > deadline:
                signal_group(pid, signal.SIGKILL)
            time.sleep(0.02)
        memory.unlink(missing_ok=True)
    return sorted(memory.stem for memory in orphans)


def signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS says this of a group of zombies
        pass


def start_time(pid: int) -> str:
    """When the process began, as an opaque word; empty when it is gone or only waits to be reaped."""
    if LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if fields[0] in "ZX" else fields[19]  # proc(5): field 22, counted from the state, which is field 3
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else "-".join(started.split())


def free_port(preferred: Iterable[int] = ()) -> int:
    """The first of `preferred` that nobody uses, else any free one on 127.0.0.1. Not one of those that the system
    hands to outgoing connections (32768 and up): it could be gone before the server that wants it is there."""
    for port in (*preferred, *random.sample(range(20_000, 32_000), 100)):
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Trouble("There is no free port on 127.0.0.1.")


def answers(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0


def owner_of(port: int) -> str:
    """Who listens on the port, in words. Linux tells us about our own programs, and root about everybody's."""
    sockets = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for row in table.read_text().splitlines()[1:] if table.exists() else ():
            columns = row.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:  # 0A: listening
                sockets.add(f"socket:[{columns[9]}]")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(handle) in sockets for handle in (folder / "fd").iterdir()):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"{command[:80]} (process {folder.name})"
        except OSError:
            continue
    return "another program"
