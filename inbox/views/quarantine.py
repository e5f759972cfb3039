"""What came in and could not be understood: kept as it came, to be read, taken in again, or let go with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from connectors.models import Receipt, ReceiptQuerySet, ReceiptState
from inbox import intake, live
from inbox.forms import AGES, NarrowForm
from inbox.http import AgentRequest, capped
from inbox.privacy import originals
from inbox.views.doors import number_or_404, supervisors_only

PAGE = 50
MOST_COUNTED = 1_000
MOST_SHOWN = 200_000  # bytes of the raw view; the rest comes with the download
RAW_POLICY = "default-src 'none'; sandbox"
UNREAD = ("body", "headers", "journal", "connector__credentials")


@dataclass(frozen=True, slots=True)
class Alarm:
    """`count` receipts were set aside within the hour, most of them for this `cause`."""

    count: str
    cause: str


@supervisors_only
@require_GET
def quarantine(request: AgentRequest) -> HttpResponse:
    form = _narrowed(request.GET)
    rows = form.rows()
    number = rows.values("pk")[: MOST_COUNTED + 1].count()
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=number_or_404(before))
    page = list(rows.defer(*UNREAD).select_related("connector__team").order_by("-pk")[: PAGE + 1])
    context = {
        "receipts": page[:PAGE],
        "number": number,
        "count": capped(number, MOST_COUNTED),
        "before": page[PAGE - 1].pk if len(page) > PAGE else None,
        "form": form,
        "narrowed": form.cleaned_data,
        "connectors": _connectors(form.kept()),
        "causes": form.kept().by_cause(),
        "ages": AGES,
        "alarm": alarm(),
        "place": "quarantine",
    }
    return render(request, "inbox/quarantine.html", context)


def alarm() -> Alarm | None:
    """None while nothing was set aside within the hour."""
    lately = Receipt.objects.quarantined().lately()
    count = lately.values("pk")[: MOST_COUNTED + 1].count()
    return Alarm(capped(count, MOST_COUNTED), lately.by_cause()[0][0]) if count else None


def _connectors(rows: ReceiptQuerySet) -> Sequence[tuple[int, str, int]]:
    found = rows.order_by().values_list("connector", "connector__name").annotate(number=Count("pk"))
    return list(found.order_by("connector__name", "connector")[:200])


def _narrowed(given: Any) -> NarrowForm:
    form = NarrowForm(given)
    if not form.is_valid():
        raise Http404
    return form


@supervisors_only
@require_POST
def replay_all(request: AgentRequest) -> HttpResponse:
    """Everything that is listed goes back among what waits; the sweeper takes it in within seconds."""
    form = _narrowed(request.POST)
    count = form.rows().release(by=request.user.name)
    live.announce(lambda: {"kind": "board"})
    words = f"{count:,} are" if count != 1 else "One is"
    messages.info(request, f"{words} being taken in again. What is still not understood comes back here.")
    return redirect("/quarantine/")


@supervisors_only
@require_POST
def discard_all(request: AgentRequest) -> HttpResponse:
    form, reason = _narrowed(request.POST), _reason(request)
    if not reason:
        messages.error(request, "Say why they can be let go.")
        return redirect(f"/quarantine/?{form.query}")
    count = form.rows().discard(reason, by=request.user.name)
    live.announce(lambda: {"kind": "board"})
    messages.info(request, f"{count:,} let go.")
    return redirect("/quarantine/")


@supervisors_only
@require_GET
def receipt(request: AgentRequest, pk: int) -> HttpResponse:
    found = _receipt(pk)
    body = bytes(found.body)
    context = {
        "receipt": found,
        "raw": readable(body[:MOST_SHOWN]),
        "size": len(body),
        "is_cut": len(body) > MOST_SHOWN,
        "is_aside": found.state in (ReceiptState.QUARANTINED, ReceiptState.DISCARDED),
        "problems": [each for each in found.outcomes if each.get("outcome") == "quarantine"],
        "others": [each for each in found.outcomes if each.get("outcome") != "quarantine"],
        "journal": [line | {"at": parse_datetime(line["at"])} for line in found.journal],
        "place": "quarantine",
    }
    return render(request, "inbox/quarantine_receipt.html", context)


@supervisors_only
@require_GET
def raw(request: AgentRequest, pk: int) -> HttpResponse:
    """The bytes as they came. No browser may take them for a page, whatever they are."""
    found = _receipt(pk)
    response = HttpResponse(bytes(found.body), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="receipt-{found.pk}.txt"'
    response["Content-Security-Policy"] = RAW_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


@supervisors_only
@require_POST
def replay(request: AgentRequest, pk: int) -> HttpResponse:
    found = _receipt(pk)
    if found.state not in (ReceiptState.QUARANTINED, ReceiptState.DISCARDED):
        messages.info(request, "Somebody dealt with this one already.")
        return redirect(f"/quarantine/{pk}/")
    again = intake.replay(found, by=request.user)
    if again.state == ReceiptState.QUARANTINED:
        messages.info(request, f"Still not understood: {again.reason or 'no reason given'}")
        return redirect(f"/quarantine/{pk}/")
    if again.state == ReceiptState.WAITING:
        messages.info(request, "It waits for something that has not arrived yet, and is tried again by itself.")
        return redirect(f"/quarantine/{pk}/")
    messages.info(request, "Taken in.")
    case = next((each["case"] for each in again.outcomes if each.get("case")), None)
    return redirect(f"/inbox/open/c/{case}/" if case else "/quarantine/")


@supervisors_only
@require_POST
def discard(request: AgentRequest, pk: int) -> HttpResponse:
    found, reason = _receipt(pk), _reason(request)
    if not reason:
        messages.error(request, "Say why it can be let go.")
        return redirect(f"/quarantine/{pk}/")
    let_go = Receipt.objects.filter(pk=found.pk).discard(reason, by=request.user.name)
    live.announce(lambda: {"kind": "board"})
    messages.info(request, "Let go." if let_go else "Somebody dealt with this one already.")
    return redirect("/quarantine/")


def _reason(request: AgentRequest) -> str:
    return " ".join(request.POST.get("reason", "").replace("\x00", "").split())


def _receipt(pk: int) -> Receipt:
    """Ordinary input is read as entries, by those who may see them, and never here; what was erased, by nobody."""
    found = get_object_or_404(Receipt.objects.select_related("connector__team").defer("connector__credentials"), pk=pk)
    if not found.was_set_aside or originals.are_to_go(found):
        raise Http404
    return found


def readable(body: bytes) -> str:
    """Bytes as text that shows what it cannot: control characters as their pictures, wrong bytes as \\x…."""
    text = body.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return "".join(chr(0x2400 + ord(each)) if ord(each) < 32 and each not in "\n\t" else each for each in text)
