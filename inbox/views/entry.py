"""One entry: its mail body in a frame of its own, its source, and a reply's second thoughts."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from connectors.models import Receipt
from inbox import outbox
from inbox.http import AgentRequest, case_or_404, entry_or_404, signed_in
from inbox.models import Delivery, Entry, EntryKind, State
from inbox.views.case import answer

BODY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src {}; font-src 'none'; frame-ancestors 'self'"
PARKED = re.compile(r"\sdata-src=")
CONTENT_ID = re.compile(r"""src=(["'])cid:([^"']{1,998})\1""")
MOST_SOURCE = 2_000_000


@signed_in
@require_GET
def body(request: AgentRequest, pk: int) -> HttpResponse:
    """The mail as sent, for the sandboxed frame. Remote images only when asked for."""
    entry = entry_or_404(request, pk)
    with_images = request.GET.get("images") == "1"
    html = _with_files(entry)
    if with_images:
        html = PARKED.sub(" referrerpolicy=no-referrer src=", html)
    response = render(request, "inbox/mail_body.html", {"html": html})
    response["Content-Security-Policy"] = BODY_POLICY.format(
        "'self' https: http: data:" if with_images else "'self' data:"
    )
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _with_files(entry: Entry) -> str:
    files = {each.content_id.strip("<>"): each for each in entry.attachments.all() if each.content_id}

    def address(match: re.Match[str]) -> str:
        file = files.get(match[2])
        return f'src="/attachments/{file.uuid}/"' if file else 'data-missing=""'

    return CONTENT_ID.sub(address, entry.html)


@signed_in
@require_GET
def original(request: AgentRequest, pk: int) -> HttpResponse:
    """What came in, byte for byte, as text; else what we kept of it. Nothing of what its sender took back, or of what
    was erased."""
    entry = entry_or_404(request, pk)
    receipt = None if entry.unsent_at or entry.erased_at else _receipt_of(entry)
    source = bytes(receipt.body)[:MOST_SOURCE] if receipt else _kept_of(entry)
    if not source:
        raise Http404
    return HttpResponse(
        source,
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f"inline; filename=entry-{pk}.txt",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _receipt_of(entry: Entry) -> Receipt | None:
    """The input it came in, if it holds nothing else: Meta posts many people and several accounts in one body."""
    if not entry.connector_id or not entry.arrived_at:
        return None
    named = Q(outcomes__contains=[{"outcome": "entry", "entry": entry.pk}])
    named |= Q(outcomes__contains=[{"outcome": "duplicate", "entry": entry.pk}])  # once replayed, it says this
    is_ahead = entry.arrived_at == entry.created_at  # the mail server's clock is, and we did not believe it
    until = entry.arrived_at + timedelta(days=1) if is_ahead else entry.arrived_at
    came_then = Receipt.objects.filter(connector=entry.connector, received_at__range=(entry.arrived_at, until))
    found = came_then.filter(named).order_by("pk")
    return next((each for each in found if len(each.outcomes) == 1), None)


def _kept_of(entry: Entry) -> bytes:
    files = [f"[{each.name}]" for each in entry.attachments.all()]
    return "\n".join(filter(None, [entry.text, *files])).encode()


@signed_in
@require_POST
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    """Takes back a reply that has not left, and gives its text back to the composer."""
    entry = _own_reply(request, pk)
    case = case_or_404(request, entry.case_id or 0)
    draft = outbox.undo(entry, by=request.user)
    if draft is None:
        return answer(request, case, events={"says": {"words": "Too late, it has left."}})
    told = {name: getattr(draft, name) for name in ("subject", "channel", "cc", "bcc", "sent_to")}
    return answer(request, case, events={"text-back": {"text": entry.written_text, **told}})


@signed_in
@require_POST
def again(request: AgentRequest, pk: int) -> HttpResponse:
    """A person's decision about what failed or whose fate is not known."""
    entry = entry_or_404(request, pk)
    case = case_or_404(request, entry.case_id or 0)
    stuck = Delivery.objects.filter(entry=entry, state__in=[State.FAILED, State.UNKNOWN]).order_by("part").first()
    if stuck is None or not outbox.send_again(stuck, by=request.user):
        return answer(request, case, events={"says": {"words": "There is nothing left to send again."}})
    return answer(request, case)


def _own_reply(request: AgentRequest, pk: int) -> Entry:
    entry = entry_or_404(request, pk)
    if entry.kind != EntryKind.REPLY or entry.agent_id != request.user.pk:
        raise Http404
    return entry
