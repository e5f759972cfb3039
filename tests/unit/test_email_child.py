from __future__ import annotations

import io
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.adapters.email import EmailAdapter, child
from connectors.adapters.email.parse import parse
from connectors.messages import InboundMessage, Malformed
from tests.payloads.email.letters import names, payload, receipt

PATCHED = "import connectors.adapters.email.parse as p\n{}\nfrom connectors.adapters.email.child import serve; serve()"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    child._state.drop()
    yield
    child._state.drop()


def parse_with(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """A child that does this with every mail whose body has the word BAD."""
    patch = (
        f"real = p.parse\ndef patched(raw):\n    if b'BAD' in raw.body:\n        {words}\n"
        "    return real(raw)\np.parse = patched"
    )
    monkeypatch.setattr(child, "_COMMAND", PATCHED.format(patch))


def pid() -> int:
    assert child._state.child is not None
    return child._state.child.process.pid


def good() -> list[object]:
    return list(EmailAdapter().parse(receipt(payload("plain"))))


def bad() -> Malformed:
    (item,) = EmailAdapter().parse(receipt(b"From: a@b.example\r\n\r\nBAD"))
    assert isinstance(item, Malformed)
    assert item.excerpt.startswith("From: a@b.example")
    return item


def test_the_child_says_what_the_parser_says() -> None:
    for name in names():
        assert EmailAdapter().parse(receipt(payload(name))) == parse(receipt(payload(name))), name


def test_one_child_reads_many_mails() -> None:
    good()
    first = pid()
    good()
    assert pid() == first


def test_a_mail_that_burns_is_stopped_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "CPU_SECONDS", 0.3)
    parse_with(monkeypatch, "import connectors.adapters.email.child as c\n        while True: pass")
    monkeypatch.setattr(
        child, "_COMMAND", "import connectors.adapters.email.child as c; c.CPU_SECONDS = 0.3\n" + child._COMMAND
    )
    assert "of computing" in bad().reason
    assert isinstance(good()[0], InboundMessage)


def test_a_mail_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WALL_SECONDS", 0.3)
    parse_with(monkeypatch, "import threading; threading.Event().wait()")
    assert "took longer than" in bad().reason


@pytest.mark.parametrize(
    "words",
    [
        "import os; os.abort()",
        "import os; os._exit(0)",
        "raise RecursionError",
        "raise MemoryError",
        "x = [b'x' * 2**30 for _ in range(9)]",
        "f = lambda: f(); f()",
        "import sys; print('noise'); raise ValueError",
    ],
)
def test_a_mail_that_breaks_the_parser_is_one_malformed_item(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    parse_with(monkeypatch, words)
    assert bad().reason
    assert isinstance(good()[0], InboundMessage)


def test_a_child_that_died_in_between_is_replaced() -> None:
    good()
    os.kill(pid(), signal.SIGKILL)
    assert child._state.child is not None
    child._state.child.process.wait()
    assert isinstance(good()[0], InboundMessage)


def test_a_child_that_grew_large_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_COMMAND", "import connectors.adapters.email.child as c; c.MAX_RESIDENT = 1; c.serve()")
    assert isinstance(good()[0], InboundMessage)
    assert child._state.child is None
    assert isinstance(good()[0], InboundMessage)


LARGEST = 39 * 1024 * 1024
LARGE: dict[str, bytes] = {
    "a file": (
        b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"QUFB\r\n" * (LARGEST // 6)
    ),
    "letters of other scripts": (
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "ж😀\r\n".encode() * (LARGEST // 8)
    ),
    "a web page": b"Content-Type: text/html\r\n\r\n" + b"<p>some words</p>\r\n" * (LARGEST // 19),
}


@pytest.mark.parametrize("kind", LARGE)
def test_the_largest_mail_takes_no_more_than_300_mb_and_is_read(kind: str) -> None:
    raw = b"From: maya@ortiz.example\r\nMessage-ID: <1@ortiz.example>\r\n" + LARGE[kind]
    good()
    status = Path(f"/proc/{pid()}/status")
    (item,) = EmailAdapter().parse(receipt(raw))
    assert isinstance(item, InboundMessage)
    assert item.attachments
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert peak is not None
    assert int(peak[1]) < 300 * 1024


def test_threads_share_the_child_without_mixing_answers() -> None:
    wrong: list[str] = []

    def read(name: str) -> None:
        for _ in range(10):
            if EmailAdapter().parse(receipt(payload(name))) != parse(receipt(payload(name))):
                wrong.append(name)

    threads = [threading.Thread(target=read, args=(name,)) for name in names()[:8]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_forked_worker_gets_its_own_child() -> None:
    good()
    ours = pid()
    reading, writing = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            good()
            os.write(writing, str(pid()).encode())
            child._state.drop()
        finally:
            os._exit(0)
    os.waitpid(forked, 0)
    theirs = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    assert theirs != ours
    good()
    assert pid() == ours


def test_the_child_ends_with_its_parent_even_by_kill() -> None:
    script = (
        "import os, signal\n"
        "from connectors.adapters.email import child\n"
        "from tests.payloads.email.letters import payload, receipt\n"
        "child.read(receipt(payload('plain')))\n"
        "print(child._state.child.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # The grandchild holds our stderr pipe: reading it to its end waits for exactly that process to be gone.
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, env=os.environ | {"PYTHONPATH": "."}
    )
    assert int(done.stdout) > 0
    assert done.returncode == -signal.SIGKILL


def test_no_secret_reaches_the_child() -> None:
    stripped = pickle.dumps(child._bare(receipt(b"x")))
    assert b"canary" not in stripped
    good()
    with open(f"/proc/{pid()}/environ") as environment:
        assert "SECRET_KEY" not in environment.read()


def test_a_child_cannot_answer_with_anything_but_our_values() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("true",)

    with pytest.raises(pickle.UnpicklingError):
        child._Answers(io.BytesIO(pickle.dumps([Evil()]))).load()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("connectors.messages.words", "dataclass.__builtins__.__getitem__"),  # eval is one of them
        ("connectors.messages.incoming", "InboundMessage.__init__"),
        ("connectors.messages.words", "dataclass"),
        ("connectors.messages.incoming", "Mapping"),
        ("datetime", "datetime.now"),
    ],
)
def test_nor_with_what_can_be_reached_from_them(module: str, name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not an answer"):
        child._Answers(io.BytesIO()).find_class(module, name)
