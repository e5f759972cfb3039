"""What other systems know of people: customers with their addresses, orders, events.

records.py   one customer, order or event as it was told, checked
table.py     a file of them, every bad line named
taking.py    into our tables
files.py     a file that is good begins
going_on.py  and goes on, some lines at a time, whatever happens to whoever does it
"""

from inbox.importing.files import WHAT, begin, take_file
from inbox.importing.going_on import catch_up, go_on, go_on_task, try_again
from inbox.importing.records import BadRecord, ToldCustomer, ToldEvent, ToldOrder, read_customer, read_event, read_order
from inbox.importing.table import MOST_OCTETS, Problem, Table, Unreadable, read_table
from inbox.importing.taking import Taken, Unknown, take_customers, take_events, take_orders

__all__ = [
    "MOST_OCTETS",
    "WHAT",
    "BadRecord",
    "Problem",
    "Table",
    "Taken",
    "ToldCustomer",
    "ToldEvent",
    "ToldOrder",
    "Unknown",
    "Unreadable",
    "begin",
    "catch_up",
    "go_on",
    "go_on_task",
    "read_customer",
    "read_event",
    "read_order",
    "read_table",
    "take_customers",
    "take_events",
    "take_file",
    "take_orders",
    "try_again",
]
