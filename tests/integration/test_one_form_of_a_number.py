"""A number that networks write in two ways is one identity, and is answered as its network writes it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from connectors.messages import Sender
from connectors.models import Connector
from customers.models import Identity
from inbox.models import Case, Delivery
from inbox.outbox.composing import compose
from tests import make

pytestmark = pytest.mark.django_db
moving = import_module("customers.migrations.0013_numbers_in_one_form")


def test_both_ways_of_writing_a_number_are_one_case(ana: Any, number: Connector) -> None:
    first = make.says(Sender("+5215512345678"), number, "hola")
    second = make.says(Sender("+525512345678"), number, "¿hay alguien?")
    assert first.case_id == second.case_id
    assert Identity.objects.get(kind="phone").value == "+525512345678"
    reply = make.answers(ana, Case.objects.get(pk=first.case_id), "Sí.")
    assert compose(Delivery.objects.select_related("entry", "identity", "connector").get(entry=reply)).to.address == (
        "+5215512345678"
    )


def test_stored_numbers_get_the_one_form_and_two_rows_of_one_number_both_stay(db: None) -> None:
    rows = {"+541123456789": "Ana", "+551187654321": "Bia", "+5511987654321": "Caio", "+14155552671": "Maya"}
    for value, name in rows.items():
        make.customer(name, phone=value)
    with connection.schema_editor() as editor:
        moving.write_in_one_form(apps, editor)
    found = dict(Identity.objects.values_list("customer__name", "value"))
    assert found == {"Ana": "+5491123456789", "Bia": "+551187654321", "Caio": "+5511987654321", "Maya": "+14155552671"}
    assert Identity.objects.get(customer__name="Ana").spelled == "+541123456789"
