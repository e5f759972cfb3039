"""The whole of `make demo`, killed part by part."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from config.processes import start_time
from tests.stack import until

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["postgres", "valkey", "sandbox", "web", "worker", "beat", "watch_mail", "sweep"]


class Demo:
    """One `python -m config.supervisor` in a folder of its own, with servers of its own."""

    def __init__(self, var: Path, port: int = 0) -> None:
        self.var, self.port = var, port
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        command = [sys.executable, "-m", "config.supervisor", "--var", str(var), "--port", str(port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""

    def wait_until(self, word: str) -> str:
        """Reads what it prints up to `word`; fails when it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if word in line:
                return line
        raise AssertionError(f"it ended without saying {word!r}:\n{self.said}")

    @property
    def address(self) -> str:
        return (self.var / "run" / "ready").read_text()

    def pid(self, part: str) -> int:
        return int((self.var / "run" / f"{part}.pid").read_text().split()[0])

    def wait_for_another(self, part: str, killed: int) -> None:
        until(lambda: self.pid(part) != killed, f"{part} was started again")

    def alive(self, part: str) -> bool:
        pid, started, _ = (self.var / "run" / f"{part}.pid").read_text().split()
        return start_time(int(pid)) == started

    def answers(self) -> bool:
        """Waits until the sign-in page comes, which needs the database."""
        return until(self._answers, "the sign-in page comes")

    def _answers(self) -> bool:
        try:
            with build_opener(ProxyHandler({})).open(f"{self.address}sign-in/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def started(var: Path) -> Iterator[list[Demo]]:
    demos: list[Demo] = []
    yield demos
    for demo in demos:
        demo.end()


@pytest.fixture
def demo(var: Path, started: list[Demo]) -> Demo:
    """The running one; a new one after a test that ended it."""
    if not started or started[-1].process.poll() is not None:
        started.append(Demo(var))
        started[-1].wait_until("ready:")
    return started[-1]


def test_it_says_how_to_sign_in_and_keeps_that_private(demo: Demo) -> None:
    told = json.loads((demo.var / "demo.json").read_text())
    assert told["agents"][0]["email"] in demo.said
    assert stat.S_IMODE((demo.var / "demo.json").stat().st_mode) == 0o600
    assert demo.answers()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_back_at_once(demo: Demo, part: str) -> None:
    killed = demo.pid(part)
    os.kill(killed, signal.SIGKILL)
    demo.wait_until(f"{part} ended (-9), starts again at once")
    demo.wait_for_another(part, killed)
    assert demo.answers()
    assert demo.alive(part)


def test_ctrl_c_stops_all_of_it_and_the_next_start_is_the_same_shop(demo: Demo, var: Path, started: list[Demo]) -> None:
    told = json.loads((demo.var / "demo.json").read_text())
    pids = [demo.pid(part) for part in PARTS]
    assert demo.end(signal.SIGINT) == 0
    assert not any(start_time(pid) for pid in pids)
    assert not (demo.var / "run" / "ready").exists()
    started.append(Demo(var))
    started[-1].wait_until("ready:")
    again = json.loads((demo.var / "demo.json").read_text())
    assert again["agents"] == told["agents"]
    assert again["sandbox"] == told["sandbox"]


def test_after_a_killed_supervisor_the_next_start_recovers(demo: Demo, var: Path, started: list[Demo]) -> None:
    os.kill(demo.pid("sandbox"), signal.SIGSTOP)  # deaf to being told that its parent died
    demo.end(signal.SIGKILL)
    started.append(Demo(var))
    started[-1].wait_until("ready:")
    assert "Ended what an earlier start left behind: sandbox" in started[-1].said
    assert started[-1].answers()


def test_a_port_of_another_program_is_named(tmp_path: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        stranger = Demo(tmp_path, door.getsockname()[1])
        told = stranger.wait_until("Throughline cannot start: Port")
        assert stranger.process.wait(30) == 1
    assert f"(process {os.getpid()})" in told
