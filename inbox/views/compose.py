"""Writing: a reply, a note, and the form around the text."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from inbox import outbox
from inbox.disclosing import Held, doubt_about, surest
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
        said = _said(form, disclose="1")
        context = {"case": case, "held": [_held(case, each) for each in error.held], "said": said}
        return render(request, "inbox/_disclosure.html", context, status=409)
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


def _held(case: Case, held: Held) -> dict[str, Any]:
    """For whom, and of one who may be the customer: why that is not sure, and where a code would make it so."""
    to, customer = held.people[0], case.customer.current()
    is_other = held.is_copied or held.is_unknown
    doubt = None if is_other else doubt_about(customer, to)
    ask = None if is_other else surest(customer, about=to)
    return {"held": held, "to": to, "why": doubt.words if doubt else "", "ask": ask}


@signed_in
@require_POST
def note(request: AgentRequest, pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    try:
        entry = outbox.add_note(case, by=request.user, text=request.POST.get("note", ""))
    except outbox.BadReply as error:
        return render(request, "inbox/_composer_error.html", {"words": error.words}, status=422)
    return answer(request, case, events={"note-kept": {"entry": entry.pk}})
