"""Webhook accepted → the alert painted for the case's owner, in a real browser, while fifty agents are connected."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error, Page, sync_playwright

from config.processes import free_port
from tests.bench.figures import Report, at_most, percentile
from tests.bench.helper import Helper
from tests.bench.run import Run

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# The moment of the frame that paints it, by the clock of this machine
WATCH = """() => {
  window.seen = {};
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) {
      const number = node.dataset?.case;
      if (number && !(number in window.seen)) {
        window.seen[number] = 0;
        requestAnimationFrame(() => { window.seen[number] = Date.now(); });
      }
    }
  }).observe(document.getElementById("toasts"), {childList: true});
}"""
CROWD = 50


def measure(run: Run, report: Report) -> None:
    stack, port, times = run.stack, free_port(), 4 if run.quick else 8
    stack.forget_tasks()
    address = f"/hooks/{run.cast.sms_token}/"
    about = {
        "url": f"http://127.0.0.1:{port}{address}",
        "signed_url": f"{stack.environment['PUBLIC_URL']}{address}",
        "to": run.cast.sms_address,
    }
    pages = stack.pages("hooks", run.intake, port, workers=1, threads=4)
    live, worker = stack.live("live", run.intake), stack.worker("worker", run.intake, concurrency=1)
    waiting = iter(_cases(run, 3 + times * run.repetitions))
    with (
        stack.running(pages, live, worker),
        Helper("poster", stack.environment, run.log("poster")) as poster,
        Helper("listeners", stack.environment, run.log("listeners")) as listeners,
    ):
        stack.until_it_answers(pages, port)
        stack.until_it_answers(live, stack.live_port)
        where = {"port": stack.live_port, "origin": stack.environment["PUBLIC_URL"], "cookies": run.cast.cookies}
        listeners.ask("open", **where, count=CROWD)
        with _browser(run) as page:
            for _ in range(3):  # the worker and every path through the page are warm
                _one(page, poster, about, next(waiting))
            medians, late = [], []
            for _ in range(run.repetitions):
                delays = [_one(page, poster, about, next(waiting)) for _ in range(times)]
                medians.append(statistics.median(delays))
                late.append(percentile(delays, 95))
    report.add("accepted → painted, p50", medians, "ms")
    report.add("accepted → painted, p95", late, "ms", due=at_most(1000), goal=at_most(1000))


def _cases(run: Run, count: int) -> list[tuple[int, str]]:
    """Cases with an unanswered mail, now agent 1's, and the number that their customer will text from.

    The newest ones: customers of the oldest have been texted by then, and who follows us to a channel raises no alarm.
    """
    with run.stack.connect(run.intake) as connection:
        return connection.execute(
            """WITH chosen AS (
                   SELECT c.id, i.value FROM inbox_case c
                   JOIN customers_identity i ON i.customer_id = c.customer_id AND i.kind = 'phone'
                   WHERE c.is_live AND c.status = 'open' AND c.team_id = %s AND c.channels = '{email}'
                   ORDER BY c.id DESC LIMIT %s)
               UPDATE inbox_case c SET assignee_id = 1 FROM chosen WHERE c.id = chosen.id
               RETURNING c.id, chosen.value""",
            [run.cast.support, count],
        ).fetchall()


@contextmanager
def _browser(run: Run) -> Iterator[Page]:
    """Agent 1's inbox, connected."""
    name, _, value = run.cast.cookies[0].partition("=")
    home = run.stack.environment["PUBLIC_URL"]
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except Error as error:
            raise RuntimeError(f"No browser: {error.message.splitlines()[0]}") from None
        try:
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": value, "url": home}])
            page = context.new_page()
            with page.expect_websocket() as opened:
                page.goto(f"{home}/inbox/mine/")
            opened.value.wait_for_event("framereceived", timeout=15_000)
            page.evaluate(WATCH)
            yield page
        finally:
            browser.close()


def _one(page: Page, poster: Helper, about: dict[str, str], who: tuple[int, str]) -> float:
    """Milliseconds between Twilio's answer and the painted alert."""
    case, number = who
    ((status, _, accepted),) = poster.ask("at_rate", **about, senders=[number], rate=1.0)
    if status != 200:
        raise RuntimeError(f"The webhook was answered {status}.")
    try:
        shown = page.wait_for_function(f"() => window.seen['{case}']", timeout=20_000).json_value()
    except Error as error:
        raise RuntimeError(f"No alert for case {case} in 20 seconds: {error.message.splitlines()[0]}") from None
    time.sleep(0.2)  # the next one meets a page at rest
    return float(shown) - accepted * 1000
