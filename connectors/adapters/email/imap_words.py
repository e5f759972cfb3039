"""What IMAP says and wants to hear: UIDs, dates and sizes, in its own spelling (RFC 3501)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'INTERNALDATE "([^"]+)"', re.IGNORECASE)
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def folder_names(options: Mapping[str, str]) -> list[str]:
    """Those of the option `folder`, between semicolons; INBOX when there are none."""
    names = [name.strip() for name in re.split(r"[;\n]", options.get("folder") or "")]
    return [name for name in names if name] or ["INBOX"]


def since(day: date) -> str:
    """In English, whatever the locale."""
    return f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def uid_set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def numbers(answers: Sequence[Any]) -> set[int]:
    return {int(word) for line in answers if isinstance(line, bytes) for word in line.split() if word.isdigit()}


def lines(answers: Sequence[Any]) -> Iterator[bytes]:
    for answer in answers:
        yield b" ".join(answer) if isinstance(answer, tuple) else bytes(answer)


def description(line: bytes) -> tuple[int, int, datetime] | None:
    """(uid, size, date) of one FETCH answer; None for what is deleted or was not asked for."""
    uid, size, date = _UID.search(line), _SIZE.search(line), _DATE.search(line)
    if not uid or not size or any(is_deleted for _, is_deleted in flags(line)):
        return None
    return int(uid[1]), int(size[1]), _moment(date[1] if date else b"")


def flags(line: bytes) -> Iterator[tuple[int, bool]]:
    """(uid, whether it is marked as deleted) of a FETCH answer that tells both."""
    uid, found = _UID.search(line), _FLAGS.search(line)
    if uid and found:
        yield int(uid[1]), b"\\deleted" in found[1].lower()


def _moment(text: bytes) -> datetime:
    try:
        return datetime.strptime(text.decode().strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return datetime.now(UTC)
