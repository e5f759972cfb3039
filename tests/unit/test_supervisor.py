"""The processes of `make demo`: nothing outlives its parent, nothing stays dead, strangers are left alone."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import services
from config.processes import Process, Trouble, end_orphans, free_port, owner_of, start_time, stop_all
from config.supervisor import Stack, how_to_sign_in

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import os, signal, sys
from pathlib import Path
from config.processes import Process
child = Process("child", ["sleep", "600"], dict(os.environ), Path(sys.argv[1]))
child.start()
print(child.child.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def var(tmp_path: Path) -> Path:
    services.prepare(tmp_path)
    return tmp_path


@pytest.fixture
def sleeper(var: Path) -> Iterator[Process]:
    process = Process("sleeper", ["sleep", "600"], dict(os.environ), var)
    process.start()
    yield process
    stop_all([process])


def ended(pid: int) -> bool:
    """Waits up to 10 s for a process that is not our child; True when it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(handle):
        return bool(select.select([handle], [], [], 10)[0]) or not start_time(pid)


def listener(port: int = 0) -> socket.socket:
    door = socket.socket()
    door.bind(("127.0.0.1", port))
    door.listen()
    return door


def test_a_child_ends_when_its_parent_is_killed(var: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(var)], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert ended(child)


def test_an_orphan_of_an_earlier_start_is_ended(var: Path, sleeper: Process) -> None:
    assert end_orphans(var / "run") == ["sleeper"]
    assert sleeper.died()
    assert not sleeper.memory.exists()


def test_a_stranger_who_was_given_the_pid_of_an_orphan_is_left_alone(var: Path, sleeper: Process) -> None:
    assert sleeper.child is not None
    sleeper.memory.write_text(f"{sleeper.child.pid} 12345 15")
    assert end_orphans(var / "run") == []
    assert not sleeper.died()


def test_a_damaged_pid_file_is_dropped(var: Path) -> None:
    (var / "run" / "web.pid").write_text("\0garbage")
    assert end_orphans(var / "run") == []
    assert list((var / "run").iterdir()) == []


def test_what_a_dead_child_leaves_in_its_group_is_ended(var: Path) -> None:
    script = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); input()"
    process = Process("mother", [sys.executable, "-c", script], dict(os.environ), var)
    process.start()
    assert process.child is not None
    os.waitid(os.P_PID, process.child.pid, os.WEXITED | os.WNOWAIT)  # input() meets the end of the file
    assert process.died()
    assert ended(int(process.last_words(99).splitlines()[0]))


def test_a_child_that_ignores_the_request_is_killed(var: Path) -> None:
    script = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    process = Process("deaf", [sys.executable, "-c", script], dict(os.environ), var)
    process.start()
    while "deaf" not in process.last_words():
        os.sched_yield()
    stop_all([process], patience=0.1)
    assert process.child is not None
    assert process.child.returncode == -signal.SIGKILL


def test_a_child_that_keeps_ending_is_started_again_ever_more_slowly(var: Path) -> None:
    process = Process("short", ["true"], dict(os.environ), var)
    process.start()
    delays = [process.restart_later() for _ in range(9)]
    assert delays[0] == 0
    assert delays[1:] == sorted(delays[1:])
    assert delays[-1] == 10


def test_a_child_that_ran_well_is_started_again_at_once(var: Path, sleeper: Process) -> None:
    sleeper.failures = 7
    sleeper.started_at -= 60
    assert sleeper.restart_later() == 0


def test_a_preferred_port_is_taken_when_free_and_passed_over_when_not() -> None:
    with listener() as door:
        taken = door.getsockname()[1]
        assert free_port([taken]) != taken
    assert free_port([taken]) == taken


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who owns a port")
def test_the_owner_of_a_port_is_named() -> None:
    with listener() as door:
        assert f"(process {os.getpid()})" in owner_of(door.getsockname()[1])


def test_a_port_of_another_program_ends_the_start_in_one_sentence(tmp_path: Path) -> None:
    with listener() as door:
        stack = Stack(tmp_path, door.getsockname()[1])
        with pytest.raises(
            Trouble, match=rf"^Port {stack.port} is taken by .*\(process {os.getpid()}\); choose another"
        ):
            stack.start()
        stack.stop()


def test_a_second_start_in_the_same_folder_is_refused_and_harms_nothing(var: Path) -> None:
    first, second = Stack(var), Stack(var)
    first._claim_folder()
    first.ready_file.write_text("there")
    with pytest.raises(Trouble, match=rf"already runs .*\(process {os.getpid()}\)"):
        second.start()
    second.stop()
    assert first.ready_file.read_text() == "there"


def test_a_full_disk_ends_the_start_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.supervisor.SPACE", 10**18)
    stack = Stack(tmp_path, 0)
    with pytest.raises(Trouble, match=r"^The disk of .* has \d+ MB left"):
        stack.start()
    stack.stop()


@pytest.mark.parametrize("port", ["eighty", "-1", "65536", "8000.5"])
def test_a_bad_port_ends_the_start_in_one_sentence(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "config.supervisor"],
        cwd=ROOT,
        env={**os.environ, "PORT": port},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == f"Throughline cannot start: PORT must be a number from 0 to 65535, not {port!r}.\n"


def test_passwords_are_made_once_and_are_ours_alone(var: Path) -> None:
    made = services.remembered(var)
    assert services.remembered(var) == made
    assert stat.S_IMODE((var / "secrets.json").stat().st_mode) == 0o600
    assert len(set(made.values())) == len(made)


def test_damaged_passwords_are_named(var: Path) -> None:
    (var / "secrets.json").write_text("{")
    with pytest.raises(Trouble, match=r"secrets\.json is damaged"):
        services.remembered(var)


def test_the_mail_ports_stay_the_same_from_start_to_start(var: Path) -> None:
    stack = Stack(var)
    assert stack._sandbox_ports() == stack._sandbox_ports()


def test_a_mail_port_that_was_taken_meanwhile_is_replaced(var: Path) -> None:
    stack = Stack(var)
    before = stack._sandbox_ports()
    with listener(int(before["SANDBOX_SMTP_PORT"])):
        after = stack._sandbox_ports()
    assert after["SANDBOX_SMTP_PORT"] != before["SANDBOX_SMTP_PORT"]
    assert after["SANDBOX_PORT"] == before["SANDBOX_PORT"]


def test_the_person_is_told_how_to_sign_in(var: Path) -> None:
    (var / "demo.json").write_text(
        '{"agents": [{"email": "ana@shop.example", "password": "secret", "role": "agent", "team": "Orders"}],'
        ' "sandbox": {"phone_url": "http://127.0.0.1:8090/"}}'
    )
    told = how_to_sign_in(var)
    assert "ana@shop.example" in told
    assert "secret" in told
    assert "http://127.0.0.1:8090/" in told
