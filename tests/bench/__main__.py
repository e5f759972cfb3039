"""`python -m tests.bench [--quick] [--only mail,pages]`: see docs/performance.md. Always ends with 0."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from config.processes import Trouble
from tests.bench import alert, mail, outgoing, pages, proposals, seeding, sockets, webhooks
from tests.bench.figures import Report, machine
from tests.bench.floor import TABLES
from tests.bench.run import Run
from tests.bench.stack import MAIN, Stack

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: dict[str, tuple[str, Callable[[Run, Report], None]]] = {
    "mail": ("Mail: raw → entry", mail.measure),
    "webhooks": ("Webhooks: accepted → committed", webhooks.measure),
    "sockets": ("Live: committed → frame in the browsers", sockets.measure),
    "outgoing": ("Outgoing", outgoing.measure),
    "alert": ("Webhook accepted → alert seen in a browser, 50 agents connected", alert.measure),
    "proposals": ("Who may be the same person", proposals.measure),
    "pages": ("Pages", pages.measure),  # the last one: it makes do with the time that is left
}
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000, 10_000)
SECONDS, QUICK_SECONDS = 1_080, 110  # of which two thousand pairs through the intake take some minutes
INTAKE_CASES = 10_000


class OutOfTime(Exception):
    """A bench that hangs helps nobody."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="two sizes, fewer figures, measured once, at most two minutes"
    )
    parser.add_argument("--only", default="", help=f"sections, with commas: {','.join(SECTIONS)}")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where the figures are written")
    wanted = parser.parse_args()
    chosen = [name for name in SECTIONS if not wanted.only or name in wanted.only.split(",")]
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seconds = QUICK_SECONDS if wanted.quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="throughline-bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Path(folder))
        try:
            with at_most_seconds(seconds):
                measure(stack, chosen, quick=wanted.quick, seconds=seconds, path=wanted.json)
        except (Trouble, OutOfTime, OSError) as error:
            print(f"The bench ended early: {error}", file=sys.stderr)
        except Exception:  # noqa: BLE001  a figure that cannot be had is no reason to fail a build
            traceback.print_exc()
        finally:
            stack.stop()


@contextmanager
def at_most_seconds(seconds: int) -> Iterator[None]:
    def ring(number: int, frame: object) -> None:
        raise OutOfTime(f"more than {seconds} seconds")

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def measure(stack: Stack, chosen: list[str], *, quick: bool, seconds: int, path: Path) -> None:
    deadline = time.monotonic() + seconds
    stack.start(dict(os.environ))
    os.environ.update(stack.environment)
    names = ("Django", "psycopg", "celery", "daphne", "gunicorn", "channels")
    versions = {**stack.versions(), **{name: version(name) for name in names}, "commit": commit()}
    report = Report({**machine(), **versions, "mode": "quick" if quick else "full"})
    print(" · ".join(f"{key} {value}" for key, value in report.conditions.items()), flush=True)
    try:
        run = prepared(stack, chosen, quick=quick, deadline=deadline)
        for name in chosen:
            report.section, section = SECTIONS[name]
            print(f"{report.section} (load {os.getloadavg()[0]:.2f})", flush=True)
            try:
                section(run, report)
            except (Trouble, RuntimeError, OSError, AssertionError) as error:
                report.miss(str(error))
    except OutOfTime as error:
        report.miss(f"stopped after {error}; the rest was not measured")
    finally:
        report.save(path)
        print(f"\n{report.table()}\nJSON: {path}")


def prepared(stack: Stack, chosen: list[str], *, quick: bool, deadline: float) -> Run:
    """The databases: one is made by the migrations, the others are filled copies of it."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    began = time.perf_counter()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    who = seeding.cast(stack.environment)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    needs_pages = "pages" in chosen
    sizes = {size: f"bench_{size}" for size in (QUICK_SIZES if quick else SIZES) if needs_pages or size == INTAKE_CASES}
    threads = {}
    for size, database in sizes.items():
        stack.copy(MAIN, database)
        with stack.connect(database, superuser=True) as filling:
            threads[size] = seeding.fill(filling, size, who)
        print(f"  {size:,} cases are there after {time.perf_counter() - began:.0f} s", flush=True)
    run = Run(stack, who, quick, deadline, sizes, threads, intake_cases=INTAKE_CASES)
    stack.copy(sizes[INTAKE_CASES], run.intake)
    with stack.connect(run.intake) as filling:
        filling.execute(TABLES)
        filling.execute("ANALYZE")
    return run


def commit() -> str:
    shown = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
