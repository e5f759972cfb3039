"""PostgreSQL was started anew while nobody asked anything: whoever asks next does not notice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection
from django.test import Client

from config.celery import app, hand_back
from connectors.models import Connector, Receipt
from tests.integration.test_webhooks import text_from

pytestmark = pytest.mark.django_db(transaction=True)


def end_all_connections() -> None:
    """As a restart does; returns when the server says that they are gone."""
    where: Any = connection.get_connection_params()
    name = where["dbname"]
    connection.close()  # back into the pool
    everybody = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    keys = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: where[key] for key in keys if key in where}, autocommit=True) as other:
        other.execute(f"SELECT pg_terminate_backend(pid, 5000) {everybody}", [name])
        assert other.execute(f"SELECT count(*) {everybody}", [name]).fetchone() == (0,)


def test_a_text_that_comes_after_a_restart_is_taken(number: Connector) -> None:
    end_all_connections()
    assert text_from(number, "Hello?").status_code == 200
    assert Receipt.objects.count() == 1


def test_a_page_opened_after_a_restart_is_shown() -> None:
    end_all_connections()
    assert Client().get("/sign-in/").status_code == 200


def test_a_connection_that_was_not_ended_is_used_again() -> None:
    assert backends_used() == backends_used()


def backends_used() -> set[int]:
    """By their process ids, one after the other: the pool hands out the one that rested longest."""
    used = set()
    for _ in range(8):
        connection.ensure_connection()
        used.add(connection.connection.info.backend_pid)
        connection.close()
    return used


def test_a_worker_keeps_its_connections_from_one_task_to_the_next() -> None:
    """Celery would end the pool before and after each."""
    worker = DjangoWorkerFixup(app)
    worker.worker = SimpleNamespace(pool_cls="celery.concurrency.prefork:TaskPool")
    task: Any = SimpleNamespace(request=SimpleNamespace(is_eager=False))
    before = backends_used()
    worker.on_task_prerun(task)
    connection.ensure_connection()
    worker.on_task_postrun(task)
    hand_back()
    assert connection.connection is None
    assert backends_used() <= before
