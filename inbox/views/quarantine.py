"""What came in and could not be understood: kept as it came, to be read, taken in again, or let go with a reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from connectors.models import Receipt, ReceiptState
from inbox import intake
from inbox.http import AgentRequest
from inbox.views.doors import number_or_404, supervisors_only

PAGE = 50
MOST_SHOWN = 200_000  # bytes of the raw view; the rest comes with the download


@supervisors_only
@require_GET
def quarantine(request: AgentRequest) -> HttpResponse:
    rows = Receipt.objects.quarantined().defer("body", "headers").select_related("connector__team").order_by("-pk")
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=number_or_404(before))
    page = list(rows.defer("body", "headers", "connector__credentials")[: PAGE + 1])
    context = {"receipts": page[:PAGE], "before": page[PAGE - 1].pk if len(page) > PAGE else None}
    return render(request, "inbox/quarantine.html", context | {"place": "quarantine"})


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
        "problems": [each for each in found.outcomes if each.get("outcome") == "quarantine"],
        "others": [each for each in found.outcomes if each.get("outcome") != "quarantine"],
        "place": "quarantine",
    }
    return render(request, "inbox/quarantine_receipt.html", context)


@supervisors_only
@require_GET
def raw(request: AgentRequest, pk: int) -> HttpResponse:
    """The bytes as they came, as a file: no browser may take them for a page."""
    found = _receipt(pk)
    response = HttpResponse(bytes(found.body), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="receipt-{found.pk}.bin"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@supervisors_only
@require_POST
def replay(request: AgentRequest, pk: int) -> HttpResponse:
    found = _receipt(pk)
    if found.state != ReceiptState.QUARANTINED:
        messages.info(request, "Somebody dealt with this one already.")
        return redirect(f"/quarantine/{pk}/")
    again = intake.replay(found, by=request.user)
    if again.state == ReceiptState.QUARANTINED:
        messages.info(request, f"Still not understood: {again.reason or 'no reason given'}")
        return redirect(f"/quarantine/{pk}/")
    messages.info(request, "Taken in.")
    case = next((each["case"] for each in again.outcomes if each.get("case")), None)
    return redirect(f"/inbox/open/c/{case}/" if case else "/quarantine/")


@supervisors_only
@require_POST
def discard(request: AgentRequest, pk: int) -> HttpResponse:
    """Let go for good; the bytes and the reason stay in the database."""
    found = _receipt(pk)
    reason = " ".join(request.POST.get("reason", "").replace("\x00", "").split())
    if not reason:
        messages.error(request, "Say why it can be let go.")
        return redirect(f"/quarantine/{pk}/")
    let_go = Receipt.objects.filter(pk=pk, state=ReceiptState.QUARANTINED).update(
        state=ReceiptState.DISCARDED, reason=f"{found.reason[:250]} {request.user.name}: {reason}"[:500], done_at=now()
    )
    messages.info(request, "Let go." if let_go else "Somebody dealt with this one already.")
    return redirect("/quarantine/")


def _receipt(pk: int) -> Receipt:
    found = get_object_or_404(Receipt.objects.select_related("connector__team").defer("connector__credentials"), pk=pk)
    if found.state not in (ReceiptState.QUARANTINED, ReceiptState.DISCARDED) and not _was_quarantined(found):
        raise Http404
    return found


def _was_quarantined(receipt: Receipt) -> bool:
    """Ordinary input is read as entries, by those who may see them, and never here."""
    return any(each.get("outcome") == "quarantine" for each in receipt.outcomes)


def readable(body: bytes) -> str:
    """Bytes as text that shows what it cannot: control characters as their pictures, wrong bytes as \\x…."""
    text = body.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return "".join(chr(0x2400 + ord(each)) if ord(each) < 32 and each not in "\n\t" else each for each in text)
