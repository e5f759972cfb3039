"""A helper: plays labelled pairs through intake and matching, and looks at messages among many people on record."""

from __future__ import annotations

import statistics
import time
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from connectors.messages import Sender  # noqa: E402
from connectors.models import Receipt  # noqa: E402
from inbox import proposing  # noqa: E402
from inbox.intake import messages  # noqa: E402
from inbox.models import Team  # noqa: E402
from tests import make  # noqa: E402
from tests.bench.figures import percentile  # noqa: E402
from tests.bench.helper import serve  # noqa: E402
from tests.matching import play as play_pairs  # noqa: E402
from tests.pairs import World, pairs  # noqa: E402

PEOPLE = """
WITH people AS (
    INSERT INTO customers_customer (name, named_by_agent, has_written, created_at)
    SELECT given[1 + n %% array_length(given, 1)] || ' ' || surname[1 + (n / 7) %% array_length(surname, 1)],
        true, true, now() FROM generate_series(1, %(number)s) n,
        (SELECT %(given)s::text[], %(surname)s::text[]) AS w (given, surname)
    RETURNING id, name),
mails AS (
    INSERT INTO customers_identity (kind, scope, value, handle, customer_id, origin, first_seen_at, is_person)
    SELECT 'email', '', lower(replace(name, ' ', '.')) || id || '@mail.test', '', id, 'import', now(), false FROM people
    RETURNING id, value, customer_id)
INSERT INTO inbox_trace (identity_id, kind, value, manner)
SELECT m.id, t.kind, t.value, '' FROM mails m JOIN people p ON p.id = m.customer_id CROSS JOIN LATERAL (VALUES
    ('name', lower(p.name)), ('handle', lower(replace(p.name, ' ', ''))),
    ('order', (100000 + p.id)::text)) AS t (kind, value)
"""


def fill(number: int) -> float:
    """That many people on record, each with an address and three traces. Seconds."""
    world, began = World(number), time.perf_counter()
    given, surname = (
        [each() for _ in range(many)] for each, many in ((lambda: world.person().given, 400), (world.surname, 6000))
    )
    with connection.cursor() as cursor:
        for index in ("customer_words", "identity_words"):  # of the search page
            cursor.execute(f"DROP INDEX IF EXISTS {index}")
        for first in range(0, number, 200_000):
            cursor.execute(PEOPLE, {"number": min(200_000, number - first), "given": given, "surname": surname})
        cursor.execute("ANALYZE customers_customer, customers_identity, inbox_trace")
    return time.perf_counter() - began


def look(times: int) -> dict[str, float]:
    """Milliseconds from a strange message's being safe to its proposals' being there."""
    account = _ours()["instagram"]
    world, spent = World(2), []
    for number in range(times + 20):
        person = world.person()
        words = f"Hi, {person.given} here, it's about order #{100_000 + number * 977}. My mail is {person.email}"
        name = f"{person.given} {person.surname}"
        item = make.message(Sender(f"9{number:015}", account.address, name, person.insta), account, words)
        with transaction.atomic():
            entry = messages.receive(account, item)["entry"]
        began = time.perf_counter()
        proposing.look(entry)
        spent.append((time.perf_counter() - began) * 1000)
    warm = spent[20:]
    return {"median": statistics.median(warm), "p95": percentile(warm, 95)}


def play(number: int, seed: int) -> dict[str, Any]:
    began = time.perf_counter()
    found = play_pairs(pairs(number, seed), _ours())
    counted = {name: getattr(found, name) for name in ("pairs", "same", "proposed", "right", "links")}
    return {**counted, "receipts": Receipt.objects.filter(state="done").count(), "seconds": time.perf_counter() - began}


def _ours() -> dict[str, Any]:
    team = Team.objects.get_or_create(name="Pairs")[0]
    return {
        "email": make.mailbox(f"pairs-{time.time_ns()}@bench.test", team),
        "sms": make.number(team, "+14155550123"),
        "instagram": make.instagram_account(team, str(time.time_ns())),
    }


if __name__ == "__main__":
    serve({"fill": fill, "look": look, "play": play})
