"""Cases in bulk, by plain SQL: what years of work leave behind, in seconds.

Each customer has one case of four entries, and the entries of all cases are interleaved as they would have come in.
Half of the cases are resolved, a quarter is open, the rest waits or sleeps; every eighth of those is nobody's yet. Two
more cases have 1,000 and 10 entries.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
AGENTS = 50  # all of them in Support
OF_THE_FAR_END = "AC" + "b" * 32
LONG, SHORT = 1_000, 10
COMMON, COMMON_PAIR, RARE, ABSENT = "delivery", "order delivery", "quokka", "xyzzyplugh"
WORDS = """
the a and to of we you it is for on with my your have this that was not be can please order delivery parcel blue
chair table lamp colour box arrived late morning evening street door neighbour invoice refund card bank email
phone photo scratch broken leg screw missing instead replace send sent wait week monday friday thanks kind
regards hello again question about account address change wrong size large small return label printer shop
""".split()  # noqa: SIM905  a list of so many quotes is no pleasure


# A sorted build at the end is far quicker than row by row. Constraints keep theirs.
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('customers_customer', 'customers_identity', 'customers_identitylink', 'inbox_case',
        'inbox_entry', 'inbox_delivery')
    AND indexdef NOT LIKE 'CREATE UNIQUE%'
"""


@dataclass(frozen=True)
class Cast:
    """Ids that are the same in every database, because all are copies of one."""

    support: int
    email: int
    sms: int
    sms_token: str  # of the webhook's address
    sms_address: str
    cookies: list[str]  # one session of each Support agent
    of_a_small_team: str  # a session of an agent whose team has one case in a hundred
    of_a_supervisor: str


def cast(environment: dict[str, str]) -> Cast:
    """Agents, teams, connectors and sessions, in the database Django is connected to."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from connectors.models import Connector
    from inbox.models import Agent, Team

    teams = [Team.objects.create(name=name) for name in ("Support", "Billing", "Returns", "Small")]
    engine = import_module(settings.SESSION_ENGINE)

    def agent(number: int, role: str, *of: Team) -> Agent:
        made = Agent(email=f"agent{number}@bench.test", name=f"Agent {number}", role=role, password="!unusable")
        made.save()
        made.teams.set(of)
        return made

    def session(of: Agent) -> str:
        store = engine.SessionStore()
        store[SESSION_KEY], store[HASH_SESSION_KEY] = str(of.pk), of.get_session_auth_hash()
        store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        store.create()
        return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"

    everybody = [agent(number, "agent", teams[0]) for number in range(1, AGENTS + 1)]
    mailbox = Connector.objects.create(
        kind="email",
        name="Support",
        addresses=["support@bench.test"],
        team=teams[0],
        credentials={"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1"},
        options={"authserv_id": "mx.bench.test"},
    )
    number = Connector.objects.create(
        kind="sms",
        name="Texts",
        addresses=["+14155550100"],
        team=teams[0],
        credentials={"account_sid": OF_THE_FAR_END, "auth_token": "a-token-of-the-bench"},
    )
    return Cast(
        support=teams[0].pk,
        email=mailbox.pk,
        sms=number.pk,
        sms_token=number.token,
        sms_address=number.address,
        cookies=[session(each) for each in everybody],
        of_a_small_team=session(agent(AGENTS + 1, "agent", teams[3])),
        of_a_supervisor=session(agent(AGENTS + 2, "supervisor", teams[0])),
    )


def fill(connection: psycopg.Connection[Any], cases: int, who: Cast) -> dict[int, int]:
    """Fills an empty copy of the template, as a superuser: {entries: id} of the long and the short case."""
    values: dict[str, Any] = {"cases": cases, "agents": AGENTS, "email": who.email, "sms": who.sms}
    values |= {"first_agent": 1, "first_team": who.support}
    cursor = psycopg.ClientCursor(connection)
    cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; SET work_mem = '64MB'")
    cursor.execute("SET session_replication_role = replica")  # foreign keys are not checked row by row
    _write_texts(cursor)
    indexes = cursor.execute(INDEXES).fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute((HERE / "cases.sql").read_text(), values)
    found = {}
    for turn, size in enumerate((LONG, SHORT), 1):
        found[size] = 1000 + cases + turn
        thread = {"case": found[size], "customer": cases + turn, "identity": 2 * cases + 2 * turn, "size": size}
        cursor.execute(
            (HERE / "thread.sql").read_text(), {**values, **thread, "first_entry": 4 * cases + turn * 2 * LONG}
        )
    for _, definition in indexes:
        cursor.execute(definition)
    for table in ("customers_customer", "customers_identity", "inbox_case", "inbox_entry"):
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    cursor.execute("DROP TABLE bench_text; DROP TABLE plan")
    cursor.execute("VACUUM ANALYZE")
    return found


def _write_texts(cursor: psycopg.ClientCursor[Any]) -> None:
    """4,096 texts of 15 to 60 words, some words far more common than others."""
    chance = random.Random(4)
    cursor.execute("CREATE TEMP TABLE bench_text (id int PRIMARY KEY, text text)")
    with cursor.copy("COPY bench_text FROM STDIN") as copy:
        for number in range(4096):
            some = [WORDS[int(len(WORDS) * chance.random() ** 1.5)] for _ in range(chance.randint(15, 60))]
            some += [f"item{chance.randrange(3000)}" for _ in range(4)]
            copy.write_row((number, " ".join(some)))
