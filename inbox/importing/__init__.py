"""What other systems know of people: customers with their addresses, orders, events. All of it or nothing.

records.py   one customer, order or event as it was told, checked
table.py     a file of them, every bad line named
taking.py    into our tables
"""

from inbox.importing.files import WHAT, take_file
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
    "read_customer",
    "read_event",
    "read_order",
    "read_table",
    "take_customers",
    "take_events",
    "take_file",
    "take_orders",
]
