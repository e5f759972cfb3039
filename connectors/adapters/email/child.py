"""The parser child: one long-lived process per worker in which hostile mail may burn, crash or leak.

A mail costs one pipe round trip. The child gives itself `CPU_SECONDS` per mail and dies by SIGPROF when they are used
up, it has `MAX_DATA` of memory, and the parent gives it `WALL_SECONDS` and kills it. Either way the next mail gets a
fresh child. The child has no secrets: a bare environment and an account stripped to what
parsing needs; what it says is unpickled by an allow-list.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from connectors.adapters.email.message_id import seal
from connectors.messages import Item, Malformed, RawInput

CPU_SECONDS = 2.0  # a mail of 40 MB takes half a second
WALL_SECONDS = 6.0  # more than the CPU limit: a busy machine must not make good mail look bad
START_SECONDS = 60.0
MAX_DATA = 300 * 1024**2  # bytes of memory of its own that the child may have
MAX_RESIDENT = 150 * 1024**2  # bytes; a child that grew beyond it by some large mail is replaced

_QUESTION = struct.Struct("!QQ")  # bytes of the question about the mail, bytes of the mail
_LENGTH = struct.Struct("!?Q")  # whether this was the child's last answer; bytes that follow
_ROOT = Path(__file__).resolve().parents[3]
_COMMAND = "from connectors.adapters.email.child import serve; serve()"


class Overrun(Exception):
    """The child did not answer in time or died."""


def read(raw: RawInput) -> list[Item]:
    """The items of one mail; a mail that breaks the parser is one `Malformed`. Safe in threads and after a fork."""
    return _state.read(raw)


def _bare(raw: RawInput) -> RawInput:
    account = raw.account
    key = account.secrets.get("message_id_key", "")
    secrets = {"message_id_seal": seal(key.encode()).hex()} if key else {}
    options = {name: account.options.get(name, "") for name in ("authserv_id", "forms")}
    headers = {"use": raw.headers.get("use", "")}
    return replace(raw, headers=headers, account=replace(account, secrets=secrets, options=options))


class _State:
    """This process's one child and the lock around it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.child: _Child | None = None

    def read(self, raw: RawInput) -> list[Item]:
        from connectors.adapters.email.parse import excerpt

        with self.lock:
            try:
                if self.child is None or not self.child.is_alive():
                    self.drop()
                    self.child = _Child()
                answer, is_last = self.child.ask(_bare(raw))
                if is_last:
                    self.drop()
                return answer
            except Overrun as overrun:
                self.drop()
                return [Malformed(str(overrun), excerpt(raw.body))]
            except BaseException:  # an interrupted question leaves half an answer in the pipe
                self.drop()
                raise

    def drop(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None

    def forget(self) -> None:
        """After a fork: the child is the parent's. Our copies of its pipes would keep it alive after the parent."""
        self.lock = threading.Lock()
        if self.child is not None:
            self.child.close_pipes()
            self.child = None


class _Child:
    def __init__(self) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
        self.process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for the worker, which then ends us
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.questions, self.answers = self.process.stdin, self.process.stdout
        os.set_blocking(self.answers.fileno(), False)
        os.set_blocking(self.questions.fileno(), False)
        try:
            self._receive(time.monotonic() + START_SECONDS)
        except Overrun:
            self.end()
            raise

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, raw: RawInput) -> tuple[list[Item], bool]:
        question = pickle.dumps(replace(raw, body=b""), pickle.HIGHEST_PROTOCOL)
        deadline = time.monotonic() + WALL_SECONDS
        self._send(_QUESTION.pack(len(question), len(raw.body)) + question, deadline)
        self._send(raw.body, deadline)
        is_last, data = self._receive(deadline)
        return _Answers(io.BytesIO(data)).load(), is_last

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close_pipes()

    def close_pipes(self) -> None:
        for pipe in (self.questions, self.answers):
            try:
                pipe.close()
            except OSError:  # unsent bytes of a question that nobody will read
                continue

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._await(self.questions, select.POLLOUT, deadline)
            try:
                view = view[os.write(self.questions.fileno(), view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Overrun("The mail ended the parser") from error

    def _receive(self, deadline: float) -> tuple[bool, bytes]:
        is_last, length = _LENGTH.unpack(self._exactly(_LENGTH.size, deadline))
        return is_last, self._exactly(length, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        pieces: list[bytes] = []
        while size:
            self._await(self.answers, select.POLLIN, deadline)
            piece = os.read(self.answers.fileno(), min(size, 1 << 20))
            if not piece:
                raise Overrun(self._cause_of_death())
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _await(self, pipe: BinaryIO | Any, event: int, deadline: float) -> None:
        poller = select.poll()
        poller.register(pipe.fileno(), event)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Overrun(f"The mail took longer than {WALL_SECONDS:.0f} seconds to read")

    def _cause_of_death(self) -> str:
        if self.process.wait() == -signal.SIGPROF:
            return f"The mail took more than {CPU_SECONDS:.0f} seconds of computing to read"
        return "The mail ended the parser"


TIMES = (("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta"))


class _Answers(pickle.Unpickler):
    """Only our own values come out of the child, whatever a mail made of it."""

    def find_class(self, module: str, name: str) -> Any:
        is_ours = module.rpartition(".")[0] == "connectors.messages"
        if "." not in name and (is_ours or (module, name) in TIMES):  # a dot would lead on to what a class can reach
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not an answer")


def serve() -> None:
    """The child's whole life: a question, an answer, until the parent is gone."""
    from connectors.adapters.email.parse import excerpt, parse

    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA, MAX_DATA))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print must not end up between the answers
    _answer(answers, b"ready", is_last=False)
    while len(head := questions.read(_QUESTION.size)) == _QUESTION.size:
        asked, mail = _QUESTION.unpack(head)
        about: RawInput = pickle.loads(questions.read(asked))  # noqa: S301  from our parent
        body = questions.read(mail)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _guarded(parse, replace(about, body=body), excerpt)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _answer(answers, answer, is_last=_resident() > MAX_RESIDENT)
        del body, answer  # not kept while waiting for the next one


def _guarded(parse: Callable[[RawInput], list[Item]], raw: RawInput, excerpt: Callable[[bytes], str]) -> bytes:
    try:
        return pickle.dumps(parse(raw), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001  one bad mail is one quarantine row, whatever it did
        bad = Malformed(f"The mail could not be read ({type(error).__name__})", excerpt(raw.body))
        return pickle.dumps([bad], pickle.HIGHEST_PROTOCOL)


def _resident() -> int:
    """Bytes of memory in use now. (`ru_maxrss` would start with the parent's peak: it survives fork and exec.)"""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:  # no /proc: such a child lives as long as its worker
        return 0


def _answer(pipe: BinaryIO, data: bytes, *, is_last: bool) -> None:
    pipe.write(_LENGTH.pack(is_last, len(data)))
    pipe.write(data)
    pipe.flush()


_state = _State()
os.register_at_fork(after_in_child=_state.forget)
atexit.register(_state.drop)
