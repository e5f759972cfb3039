"""From the bytes of a file into our tables."""

from __future__ import annotations

from typing import cast

from inbox.importing.records import ToldCustomer, ToldEvent, ToldOrder
from inbox.importing.table import MOST_PROBLEMS, Problem, Unreadable, read_table
from inbox.importing.taking import Taken, Unknown, take_customers, take_events, take_orders
from inbox.models import Agent

WHAT = {"customers": "Customers", "orders": "Orders", "events": "Events"}


def take_file(content: bytes, what: str, *, source: str, by: Agent | None) -> Taken:
    """Raises Unreadable, which names every line that is wrong; then nothing of it was taken."""
    table = read_table(content, what)
    try:
        if what == "customers":
            return take_customers(cast(list[ToldCustomer], table.told), source=source, by=by)
        if what == "orders":
            return take_orders(cast(list[ToldOrder], table.told), source=source)
        return take_events(cast(list[ToldEvent], table.told), source=source)
    except Unknown as error:
        missing = [(table.lines[place], table.told[place].external_id) for place in error.places[:MOST_PROBLEMS]]
        problems = [Problem(line, f"Nobody is called {name} in {source}.") for line, name in missing]
        raise Unreadable(problems) from error
