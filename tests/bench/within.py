"""A process of the product, as a worker is one: takes in receipts, sends deliveries, makes things happen in cases."""

from __future__ import annotations

import base64
import time
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, reset_queries, transaction  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from connectors.models import Receipt  # noqa: E402
from inbox import intake, outbox  # noqa: E402
from inbox.models import Agent, Case  # noqa: E402
from inbox.wake import TOGETHER, messenger  # noqa: E402
from tests.bench import floor  # noqa: E402
from tests.bench.helper import serve  # noqa: E402


def take_in(ids: list[int]) -> float:
    """Seconds for all of them, in messages as a worker gets them while there is much to do."""
    began = time.perf_counter()
    for at in range(0, len(ids), TOGETHER):
        intake.take_in_each(ids[at : at + TOGETHER])
    return time.perf_counter() - began


def queries_of(ids: list[int]) -> float:
    """Database statements for one, on average."""
    with CaptureQueriesContext(connection) as captured:
        take_in(ids)
    count = len(captured)
    reset_queries()
    return count / len(ids)


def take_in_least(mails: list[tuple[int, str]]) -> float:
    import psycopg

    raws = [(number, base64.b64decode(mail)) for number, mail in mails]
    url = settings.DATABASES["default"]
    with psycopg.connect(
        host=url["HOST"],
        port=url["PORT"],
        user=url["USER"],
        password=url["PASSWORD"],
        dbname=url["NAME"],
        autocommit=True,
    ) as plain:
        began = time.perf_counter()
        for number, raw in raws:
            floor.take_in(plain, number, raw)
        return time.perf_counter() - began


def deliver(ids: list[int]) -> float:
    began = time.perf_counter()
    for pk in ids:
        outbox.deliver(pk)
    return time.perf_counter() - began


def wake_deliveries(ids: list[int]) -> None:
    for pk in ids:
        outbox.deliver_task.apply_async((pk,), ignore_result=True)


def speak(cases: list[int], rate: float, by: int) -> list[tuple[int, int, float]]:
    """A note in one case after the other, `rate` a second: (case, its version, when it was committed)."""
    agent, told = Agent.objects.get(pk=by), []
    start = time.perf_counter()
    for turn, pk in enumerate(cases):
        time.sleep(max(0.0, start + turn / rate - time.perf_counter()))  # so many a second
        moment: list[float] = []
        with transaction.atomic():
            transaction.on_commit(lambda: moment.append(time.time()))  # noqa: B023  runs in this very turn, and first
            outbox.add_note(Case.objects.get(pk=pk), by=agent, text="Called the warehouse, it leaves tomorrow.")
            version = Case.objects.values_list("version", flat=True).get(pk=pk)
        told.append((pk, version, moment[0]))
    messenger().calls.join()
    return told


def receipts(mails: list[str], connector: int) -> list[int]:
    from connectors.models import Connector

    mailbox, made = Connector.objects.get(pk=connector), []
    for mail in mails:
        made.append(Receipt.store(mailbox, base64.b64decode(mail), headers={}))
    return [pk for pk in made if pk]


def warm() -> dict[str, Any]:
    """Everything imported, connected and running."""
    connection.ensure_connection()
    return {}


if __name__ == "__main__":
    serve(
        {
            "warm": warm,
            "receipts": receipts,
            "take_in": take_in,
            "queries_of": queries_of,
            "take_in_least": take_in_least,
            "deliver": deliver,
            "wake_deliveries": wake_deliveries,
            "speak": speak,
        }
    )
