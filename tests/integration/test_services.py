"""The embedded servers, for real."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import services
from config.processes import Process, Trouble, end_orphans, stop_all
from config.services import Service

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    stop_all(processes)


@pytest.fixture
def postgres(tmp_path: Path, started: list[Process]) -> Service:
    service = services.start_postgres(tmp_path, durable=False)
    started.append(service.process)
    return service


def again(tmp_path: Path, started: list[Process], *, durable: bool = False) -> Service:
    service = services.start_postgres(tmp_path, durable=durable)
    started.append(service.process)
    return service


def kill(process: Process) -> None:
    assert process.child is not None
    process.child.kill()
    process.child.wait()


def test_the_database_has_what_the_product_needs_without_a_superuser(postgres: Service) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION unaccent")
        row = connection.execute("SELECT lower('ÄÖŁ'), unaccent('Tomás'), current_setting('is_superuser')").fetchone()
    assert row == ("äöł", "Tomas", "off")


def test_a_stranger_cannot_enter_the_database(postgres: Service) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgres://postgres:guess@127.0.0.1:{postgres.port}/postgres")


def test_data_survives_kill_9_of_the_database(tmp_path: Path, started: list[Process]) -> None:
    first = again(tmp_path, started, durable=True)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('still here')")
    kill(first.process)
    with psycopg.connect(again(tmp_path, started, durable=True).url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)


def test_a_database_that_an_earlier_start_left_running_is_ended_and_started_anew(
    tmp_path: Path, postgres: Service, started: list[Process]
) -> None:
    assert end_orphans(tmp_path / "run") == ["postgres"]
    with psycopg.connect(again(tmp_path, started).url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_two_servers_never_share_one_data_folder(tmp_path: Path, postgres: Service) -> None:
    with pytest.raises(Trouble, match="still uses"):
        services.start_postgres(tmp_path)


def test_an_interrupted_first_start_is_made_good(tmp_path: Path, started: list[Process]) -> None:
    services.prepare(tmp_path)
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18")
    with psycopg.connect(again(tmp_path, started).url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_of_another_postgresql_is_named_and_not_touched(tmp_path: Path) -> None:
    services.prepare(tmp_path)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(Trouble, match="was made by PostgreSQL 15, this is 18"):
        services.start_postgres(tmp_path)


def test_a_lock_that_names_a_stranger_does_not_stop_the_database(
    tmp_path: Path, postgres: Service, started: list[Process]
) -> None:
    stop_all([postgres.process])
    (tmp_path / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path / 'postgres'}\n")
    with psycopg.connect(again(tmp_path, started).url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_root_who_may_not_make_namespaces_runs_the_database_as_nobody(
    tmp_path: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root must hand the database to another user")
    monkeypatch.setattr(services, "_works", lambda command: False)
    service = again(tmp_path, started)
    with psycopg.connect(service.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    outside = (tmp_path / "postgres").resolve()
    assert outside.stat().st_uid != 0
    stop_all([service.process])
    shutil.rmtree(outside.parent)


def test_valkey_answers_those_who_know_the_password_and_nobody_else(tmp_path: Path, started: list[Process]) -> None:
    service = services.start_valkey(tmp_path)
    started.append(service.process)
    assert redis.from_url(service.url).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=service.port).ping()


def test_the_command_of_run_gets_both_servers_and_its_exit_code_is_passed_on() -> None:
    script = (
        "import os, psycopg, redis; psycopg.connect(os.environ['DATABASE_URL']);"
        "redis.from_url(os.environ['REDIS_URL']).ping(); raise SystemExit(7)"
    )
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "config.services", "run", "--", sys.executable, "-c", script], cwd=ROOT, env=kept
    )
    assert done.returncode == 7


def test_run_uses_the_servers_it_is_given() -> None:
    given = {**os.environ, "DATABASE_URL": "postgres://mine", "REDIS_URL": "redis://mine"}
    command = [sys.executable, "-m", "config.services", "run", "--", "sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"']
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.stdout == "postgres://mine redis://mine\n"


def test_the_servers_of_run_end_when_run_is_killed() -> None:
    script = "import os, signal; print(os.environ['DATABASE_URL'], flush=True); signal.pause()"
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "config.services", "run", "--", sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.PIPE, text=True, process_group=0) as run:
        assert run.stdout is not None
        with psycopg.connect(run.stdout.readline().strip()) as connection:
            os.killpg(run.pid, signal.SIGKILL)
            assert select.select([connection.fileno()], [], [], 10)[0], "the server let go of nobody"
