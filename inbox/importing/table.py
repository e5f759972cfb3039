"""A file of customers, orders or events. Every line that is wrong is named, and then nothing of the file is taken."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from customers.identities import EMAIL, PHONE, WHATSAPP
from inbox.importing.records import (
    BadRecord,
    ToldCustomer,
    ToldEvent,
    ToldOrder,
    read_address,
    read_customer,
    read_event,
    read_order,
)

MOST_OCTETS, MOST_LINES, MOST_PROBLEMS = 10 * 1024 * 1024, 50_000, 100
DELIMITERS = ",;\t"
ADDRESSES = {"email": EMAIL, "phone": PHONE, "whatsapp": WHATSAPP}
KNOWN = {
    "customers": {"external_id", "name", "language", "time_zone", "prefers", "instagram", *ADDRESSES},
    "orders": {"external_id", "number", "title", "status", "amount", "currency", "placed_at"},
    "events": {"external_id", "reference", "name", "detail", "at"},
}
NEEDED = {"customers": ["external_id"], "orders": ["external_id", "number"], "events": ["external_id", "name"]}
Told = ToldCustomer | ToldOrder | ToldEvent


@dataclass(frozen=True, slots=True)
class Problem:
    line: int  # of the file, from 1; 0 when it is about all of it
    words: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.words}" if self.line else self.words


class Unreadable(Exception):
    """Nothing was taken. `problems`: at most 100, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Table:
    """`lines[n]` is the line of the file on which `told[n]` begins."""

    told: Sequence[Told]
    lines: Sequence[int]


def read_table(content: bytes, what: str) -> Table:
    """`what`: customers, orders or events. A column of customers that we do not know is an attribute.

    CSV with a header, in UTF-8; several addresses in a cell are parted by a semicolon or a space. Raises Unreadable.
    """
    header, rows = _rows(content, what)
    told, lines, problems = list[Told](), list[int](), list[Problem]()
    seen: dict[object, int] = {}
    for line, cells in rows:
        try:
            record = READERS[what](_named(header, cells))
            _only_once(record, line, seen)
        except BadRecord as error:
            problems.append(Problem(line, error.words))
            if len(problems) == MOST_PROBLEMS:
                break
            continue
        told.append(record)
        lines.append(line)
    if problems:
        raise Unreadable(problems)
    if not told:
        raise Unreadable([Problem(0, "There is nothing in it below the first line.")])
    return Table(told, lines)


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise BadRecord(f"It has {len(cells)} cells, and the first line has {len(header)}.")
    return dict(zip(header, cells, strict=True))


def _rows(content: bytes, what: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each line that is not empty with its number."""
    if len(content) > MOST_OCTETS:
        raise Unreadable([Problem(0, f"The file is larger than {MOST_OCTETS // 1024 // 1024} MB. Split it.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable([Problem(line, "This is not UTF-8. Save the file as “CSV UTF-8”.")]) from error
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _header(next(reader, []), what), list(_lines(reader))
    except csv.Error as error:
        raise Unreadable([Problem(reader.line_num, f"This line cannot be read: {error}.")]) from error


def _header(cells: list[str], what: str) -> list[str]:
    names = [" ".join(each.split()) for each in cells]
    names = [name.lower().replace(" ", "_") if _plain(name) in KNOWN[what] else name for name in names]
    missing = [name for name in NEEDED[what] if name not in names]
    strange = [name for name in names if what != "customers" and name not in KNOWN[what]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing:
        raise Unreadable([Problem(1, f"The column {missing[0]} is missing.")])
    if strange or "" in names:
        raise Unreadable([Problem(1, f"There is no column called “{(strange or [''])[0][:60]}”.")])
    if twice:
        raise Unreadable([Problem(1, f"The column {twice[0]} is there twice.")])
    return names


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_")


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """`reader`: a csv.reader. A cell may hold line breaks: a record is named after the line that it begins on."""
    count, ended = 0, reader.line_num
    for cells in reader:
        line, ended = ended + 1, reader.line_num
        if not any(each.strip() for each in cells):
            continue
        count += 1
        if count > MOST_LINES:
            raise Unreadable([Problem(line, f"These are more than {MOST_LINES:,} lines. Split the file.")])
        yield line, cells


def _customer(cells: dict[str, str]) -> ToldCustomer:
    addresses = [
        read_address(kind, each)
        for column, kind in ADDRESSES.items()
        for each in _several(cells.get(column, ""), is_spaced=kind != EMAIL)
    ]
    attributes = {name: value for name, value in cells.items() if name not in KNOWN["customers"] and value.strip()}
    told: dict[str, object] = {**cells, "identities": addresses, "attributes": attributes}
    return read_customer(cells["external_id"].strip(), told)


def _several(cell: str, *, is_spaced: bool) -> list[str]:
    """Numbers hold spaces, e-mail addresses do not."""
    parts = cell.replace("|", ";").split(";") if is_spaced else cell.replace(";", " ").split()
    return [each.strip() for each in parts if each.strip()]


def _only_once(record: Told, line: int, seen: dict[object, int]) -> None:
    keys: list[tuple[object, str]] = []
    if isinstance(record, ToldCustomer):
        keys = [((each.key), f"The address {each.value}") for each in record.addresses]
        keys.append((record.external_id, f"The external_id {record.external_id}"))
    elif isinstance(record, ToldOrder):
        keys = [(record.number, f"The order {record.number}")]
    elif record.reference:
        keys = [(record.reference, f"The reference {record.reference}")]
    for key, words in keys:
        if key in seen:
            raise BadRecord(f"{words} is on line {seen[key]} already.")
        seen[key] = line


READERS: dict[str, Callable[[dict[str, str]], Told]] = {
    "customers": _customer,
    "orders": lambda cells: read_order(cells["external_id"].strip(), cells),
    "events": lambda cells: read_event(cells["external_id"].strip(), cells),
}
