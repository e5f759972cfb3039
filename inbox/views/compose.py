"""Writing: a reply, a note, and the form around the text."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from inbox import outbox
from inbox.disclosing import doubt_about, surest
from inbox.forms import ReplyForm
from inbox.http import AgentRequest, case_or_404, signed_in
from inbox.models import Case, Draft
from inbox.views.case import answer, around_of


@signed_in
@require_GET
def around(request: AgentRequest, pk: int) -> HttpResponse:
    """The form around the text, for another way of sending. The text itself is not part of it."""
    case = case_or_404(request, pk)
    context = around_of(case, request.user, case.family(), request.GET.get("option", ""))
    return render(request, "inbox/_composer_around.html", context)


@signed_in
@require_POST
def reply(request: AgentRequest, pk: int) -> HttpResponse:
    case, form = case_or_404(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return render(request, "inbox/_composer_error.html", {"words": form.words}, status=422)
    try:
        entry = outbox.reply(case, by=request.user, **form.cleaned_data)
    except outbox.ReplyHeld as held:
        said = _said(form, send_anyway="1")
        return render(request, "inbox/_held.html", {"case": case, "newer": held.newer, "said": said}, status=409)
    except outbox.WouldDisclose as error:
        return render(
            request, "inbox/_disclosure.html", _disclosure(case, error, _said(form, disclose="1")), status=409
        )
    except outbox.CannotSend as error:
        return render(
            request, "inbox/_composer_error.html", {"words": error.reason, "remedy": error.remedy}, status=422
        )
    except outbox.BadReply as error:
        return render(request, "inbox/_composer_error.html", {"words": error.words}, status=422)
    Draft.objects.filter(case=case, agent=request.user).exclude(channel="note").delete()
    event = "case-left" if form.cleaned_data["resolve"] else "reply-kept"
    told = {"reply-kept": {"entry": entry.pk}, event: {"case": case.pk, "entry": entry.pk}}
    return answer(request, case, events=told)


def _said(form: ReplyForm, **now: str) -> str:
    """What the agent has agreed to for this reply so far, for the button that agrees to one thing more."""
    agreed = {name: "1" for name in ("send_anyway", "disclose", "confirmed", "resolve") if form.cleaned_data[name]}
    return json.dumps(agreed | now)


def _disclosure(case: Case, error: outbox.WouldDisclose, said: str) -> dict[str, Any]:
    customer = case.customer.current()
    doubt, ask = doubt_about(customer, error.to), surest(customer, about=error.to)
    if error.is_copied:
        doubt = ask = None
    why = doubt.words if doubt else ""
    about = {"is_copied": error.is_copied, "why": why, "ask": ask}
    return {"case": case, "to": error.to, "found": error.found, "said": said, **about}


@signed_in
@require_POST
def note(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    try:
        entry = outbox.add_note(case, by=request.user, text=request.POST.get("note", ""))
    except outbox.BadReply as error:
        return render(request, "inbox/_composer_error.html", {"words": error.words}, status=422)
    return answer(request, case, events={"note-kept": {"entry": entry.pk}})
