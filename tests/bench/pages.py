"""What an agent waits for: the list, a case, a search; at three sizes in turn, so that their ratio means something.

Fifty agents take turns, as fifty people would: a count that is kept for a second is paid for as often as in real life.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection

from config.processes import free_port
from tests.bench import seeding
from tests.bench.figures import Report, Target, at_most, percentile
from tests.bench.run import Run

FRAGMENT = {"HX-Request": "true"}


@dataclass(frozen=True)
class Page:
    """`due` for the p50 in milliseconds, `growth` for p50 at the largest size over p50 at the smallest."""

    name: str
    path: str
    holds: str  # the answer must contain it, or we measure an error page
    due: float | None = 40.0
    goal: float | None = None
    growth: float | None = 1.5
    who: str = "agents"
    headers: tuple[tuple[str, str], ...] = ()
    p95: float | None = None


def pages_of(threads: dict[int, int]) -> list[Page]:
    long, short = threads[seeding.LONG], threads[seeding.SHORT]
    fragment = tuple(FRAGMENT.items())
    return [
        Page("list, all open, first page", "/inbox/open/", 'class="row', goal=25),
        Page("list, mine", "/inbox/mine/", 'class="row'),
        Page("list, nobody's yet", "/inbox/unassigned/", 'class="row'),
        Page("list, resolved", "/inbox/resolved/", 'class="row'),
        Page("list, all open, a supervisor", "/inbox/open/", 'class="row', who="supervisor"),
        Page("list, all open, a team with 1 % of the cases", "/inbox/open/", 'class="row', who="small"),
        Page("list, only those that moved", "/inbox/open/list/?sort=moved", 'class="row'),
        Page("case, last 50 of 1,000, opened in the list", f"/inbox/open/c/{long}/", "entry-", headers=fragment),
        Page("case of 10, opened in the list", f"/inbox/open/c/{short}/", "entry-", headers=fragment),
        Page("case, last 50 of 1,000, whole page with the list", f"/inbox/open/c/{long}/", "entry-", goal=40),
        Page("search, rare word", f"/search/?q={seeding.RARE}", seeding.RARE, p95=50),
        Page("search, no hit", f"/search/?q={seeding.ABSENT}", seeding.ABSENT, p95=50),
        Page("search, common word", f"/search/?q={seeding.COMMON}", "<mark>"),
        Page("search, two common words", f"/search/?q={seeding.COMMON_PAIR.replace(' ', '+')}", "<mark>"),
        Page("search, a person's name", "/search/?q=Ortiz", "Ortiz"),
        Page("search, an address", "/search/?q=person77@mail.test", "person77@mail.test"),
    ]


class Visitor:
    """A browser's worth of HTTP: one connection that stays, and the sessions of those who take turns."""

    def __init__(self, port: int, cookies: list[str]) -> None:
        self.door = HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: Iterator[str] = itertools.cycle(cookies)

    def milliseconds(self, page: Page) -> float:
        headers = {"Cookie": next(self.cookies), "Accept-Encoding": "identity", **dict(page.headers)}
        began = time.perf_counter()
        self.door.request("GET", page.path, headers=headers)
        answer = self.door.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200 or page.holds.encode() not in body:
            raise RuntimeError(f"GET {page.path} answered {answer.status} without {page.holds!r}: {body[:200]!r}")
        return took


def measure(run: Run, report: Report) -> None:
    stack = run.stack
    with ExitStack() as running:
        ports = {}
        for size, database in run.sizes.items():
            ports[size] = free_port()
            process = stack.pages(f"pages-{size}", database, ports[size], workers=1, threads=4)
            running.enter_context(stack.running(process))
            stack.until_it_answers(process, ports[size])
        who = {
            "agents": run.cast.cookies,
            "small": [run.cast.of_a_small_team],
            "supervisor": [run.cast.of_a_supervisor],
        }
        pages = pages_of(next(iter(run.threads.values())))
        for number, page in enumerate(pages):
            seconds = (run.seconds_left() - 15) / (len(pages) - number)
            cookies = who[page.who]
            visitors = {size: Visitor(port, cookies) for size, port in ports.items()}
            here = {size: _same_page(run, page, size) for size in ports}
            try:
                _measure_page(run, report, page, visitors, here, seconds)
            except RuntimeError as error:
                report.miss(f"{page.name}: {error}")
        _measure_transcript(run, report, ports)
        _measure_search_floor(run, report)


def _same_page(run: Run, page: Page, size: int) -> Page:
    """The long and the short case have other ids in every database."""
    first = next(iter(run.threads.values()))
    path = page.path
    for entries, pk in first.items():
        path = path.replace(f"/c/{pk}/", f"/c/{run.threads[size][entries]}/")
    return Page(page.name, path, page.holds, headers=page.headers)


def _measure_page(
    run: Run, report: Report, page: Page, visitors: dict[int, Visitor], here: dict[int, Page], seconds: float
) -> None:
    """As often as `seconds` allow, 20 times in each repetition at most."""
    for size, visitor in visitors.items():
        visitor.milliseconds(here[size])
    round_trip = sum(visitor.milliseconds(here[size]) for size, visitor in visitors.items()) / 1000
    visits = max(2, min(20, int(seconds / run.repetitions / round_trip)))
    medians: dict[int, list[float]] = {size: [] for size in visitors}
    tails: dict[int, list[float]] = {size: [] for size in visitors}
    for _ in range(run.repetitions):
        taken: dict[int, list[float]] = {size: [] for size in visitors}
        for _ in range(visits):
            for size, visitor in visitors.items():
                taken[size].append(visitor.milliseconds(here[size]))
        for size, times in taken.items():
            medians[size].append(statistics.median(times))
            tails[size].append(percentile(times, 95))
    due = at_most(page.due) if page.due else None
    for size in visitors:
        goal: Target | None = at_most(page.goal) if page.goal else None
        report.add(f"{page.name}, {size:,} cases, p50", medians[size], "ms", due=due, goal=goal)
    largest, smallest = max(visitors), min(visitors)
    report.add(
        f"{page.name}, {largest:,} cases, p95", tails[largest], "ms", goal=at_most(page.p95) if page.p95 else None
    )
    growth = [great / small for great, small in zip(medians[largest], medians[smallest], strict=True)]
    report.add(f"  {largest:,} of {smallest:,} cases", growth, "×", due=at_most(page.growth or 1.5), goal=at_most(1.2))


def _measure_transcript(run: Run, report: Report, ports: dict[int, int]) -> None:
    """The whole thread of 1,000, page after page, as somebody who scrolls up to its beginning gets it.

    The server keeps rows that it has drawn, so the first time is told apart.
    """
    size = max(ports)
    visitor, pk, seconds = Visitor(ports[size], run.cast.cookies), run.threads[size][seeding.LONG], []
    with run.stack.connect(run.sizes[size]) as connection:
        row = connection.execute(
            "SELECT array_agg(id ORDER BY id) FROM inbox_entry WHERE case_id = %s", [pk]
        ).fetchone()
        assert row
        ids: list[int] = row[0]
    for _ in range(1 + run.repetitions):
        took = visitor.milliseconds(Page("", f"/inbox/open/c/{pk}/", "entry-", headers=tuple(FRAGMENT.items())))
        for first in range(len(ids) - 50, 0, -50):
            took += visitor.milliseconds(Page("", f"/cases/{pk}/timeline/?before={ids[first]}", "entry-"))
        seconds.append(took)
    report.add("the whole thread of 1,000, in 20 requests, never drawn before", seconds[:1], "ms")
    report.add("the whole thread of 1,000, in 20 requests", seconds[1:], "ms", goal=at_most(350))


def _measure_search_floor(run: Run, report: Report) -> None:
    """The same question in SQL alone: the newest 200 entries with these words."""
    size = max(run.sizes)
    with run.stack.connect(run.sizes[size]) as connection:
        for word in (seeding.RARE, seeding.COMMON, seeding.COMMON_PAIR):
            times = []
            for _ in range(max(run.repetitions, 3)):
                began = time.perf_counter()
                connection.execute(
                    "SELECT id, case_id, text FROM inbox_entry WHERE search @@ websearch_to_tsquery('simple', %s) "
                    "AND case_id IS NOT NULL ORDER BY id DESC LIMIT 200",
                    [word],
                ).fetchall()
                times.append((time.perf_counter() - began) * 1000)
            report.add(f"search in SQL alone, “{word}”, {size:,} cases", times, "ms")
