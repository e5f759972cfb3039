"""All we know of a person as one zip: `person.json`, `cases/N.json` with every message, and the files as they came.

    person.json   {"made_at", "person": {…}, "addresses": [{…}], "elsewhere": [messages in other people's cases],
                   "<table>": [rows that hang on the person or an address]}
    cases/N.json  {"case": {…}, "messages": [{…, "files": [names in the zip], "sent": [how it fared]}]}
    files/…       what came with the messages

Guesses about who else somebody might be are about others as well, and stay out.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable
from typing import IO, Any

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.timezone import now

from customers.models import Customer, Identity
from inbox.models import Attachment, Case, Delivery, Entry, FileState
from inbox.privacy.hanging import hanging_on

IN_MEMORY = 8 * 1024 * 1024
OURS = frozenset({"uuid", "search", "reply_token", "version", "draft", "key", "named_ids", "data", "preview"})
TOLD_ELSEWHERE = frozenset({"Case", "Customer", "Identity", "Entry", "Delivery"})
ABOUT_OTHERS = frozenset({"Proposal", "Mention", "Trace", "WrongCode", "Relationship", "Invitation", "Merge"})
CHUNK = 1024 * 1024

Row = dict[str, Any]


def export(customer: Customer) -> IO[bytes]:
    """A file that is open at its beginning and gone when it is closed."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  whoever sends it closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, customer.current())
    file.seek(0)
    return file


def _write(archive: zipfile.ZipFile, person: Customer) -> None:
    family = person.family()
    identities = list(Identity.objects.filter(customer__in=family).order_by("pk"))
    cases = Case.objects.filter(customer__in=family).order_by("pk")
    elsewhere = Entry.objects.filter(identity__in=identities).exclude(case__in=cases)
    told: Row = {
        "made_at": now(),
        "person": row_of(person),
        "addresses": [row_of(each) for each in identities],
        "elsewhere": _messages(archive, elsewhere),
        **_rows_on(Customer, family),
        **_rows_on(Identity, [each.pk for each in identities]),
    }
    _put(archive, "person.json", told)
    for case in cases:
        said = Entry.objects.filter(case=case)
        _put(archive, f"cases/{case.pk}.json", {"case": row_of(case), "messages": _messages(archive, said)})


def row_of(row: models.Model) -> Row:
    """Its columns; references to others as their numbers."""
    names = [each.attname for each in row._meta.concrete_fields if each.name not in OURS]
    return {name: value for name in names if (value := getattr(row, name)) not in ("", None, [], {})}


def _rows_on(model: type[models.Model], ids: list[int]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for other, field in hanging_on(model):
        if other.__name__ not in TOLD_ELSEWHERE | ABOUT_OTHERS:
            rows = other._default_manager.filter(**{f"{field}__in": ids}).order_by("pk")
            found.setdefault(str(other._meta.verbose_name_plural), []).extend(row_of(row) for row in rows)
    return {name: rows for name, rows in found.items() if rows}


def _messages(archive: zipfile.ZipFile, entries: models.QuerySet[Entry]) -> list[Row]:
    related = entries.defer("search").prefetch_related("attachments", "deliveries").order_by("pk")
    return [_message(archive, each) for each in related.iterator(200)]


def _message(archive: zipfile.ZipFile, entry: Entry) -> Row:
    files = [_file(archive, each) for each in entry.attachments.all()]
    sent = [_fared(each) for each in entry.deliveries.all()]
    return row_of(entry) | ({"files": files} if files else {}) | ({"sent": sent} if sent else {})


def _fared(delivery: Delivery) -> Row:
    return {"state": delivery.state, "sent_at": delivery.sent_at, "reason": delivery.reason}


def _file(archive: zipfile.ZipFile, file: Attachment) -> str:
    """Its name in the zip; of one that is not here, why not."""
    name = file.name.replace("/", "_").replace("\\", "_")
    if file.state != FileState.STORED or not default_storage.exists(file.key):
        return f"{name} (not kept: {file.reason or file.get_state_display().lower()})"
    path = f"files/{file.pk}-{name}"
    with default_storage.open(file.key) as kept, archive.open(path, "w") as place:
        for chunk in _chunks(kept):
            place.write(chunk)
    return path


def _chunks(file: Any) -> Iterable[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _put(archive: zipfile.ZipFile, path: str, told: Row) -> None:
    archive.writestr(path, json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1))
