"""Unsent text, kept on the server while it is typed, and the files that wait with it."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from connectors.adapters import ADAPTERS
from connectors.adapters.email.filename import clean
from connectors.adapters.media import sniff
from connectors.messages import Channel
from inbox.forms import DraftForm, UploadForm
from inbox.http import AgentRequest, case_or_404, signed_in
from inbox.intake.files import forget, store
from inbox.intake.outcomes import TryLater
from inbox.models import Attachment, Case, Draft


@signed_in
@require_POST
def save(request: AgentRequest, pk: int) -> HttpResponse:
    """One reply per case and agent is being written: it moves along when another channel is picked."""
    case, form = case_or_404(request, pk), DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    channel, text = form.cleaned_data["channel"], form.cleaned_data["text"]
    with transaction.atomic():
        if channel == "note":
            _keep(case, request, "note", text)
        else:
            about = {name: form.cleaned_data[name] for name in ("subject", "cc", "bcc", "sent_to")}
            draft = _keep(case, request, channel, text, **about)
            others = Draft.objects.filter(case=case, agent=request.user).exclude(channel__in=["note", channel])
            if draft is not None:
                Attachment.objects.filter(draft__in=others).update(draft=draft)
            others.delete()
    return HttpResponse(status=204)


def _keep(case: Case, request: AgentRequest, channel: str, text: str, **about: str) -> Draft | None:
    mine = Draft.objects.filter(case=case, agent=request.user, channel=channel)
    begun = text.strip() or about.get("cc") or about.get("bcc")
    if not begun and not Attachment.objects.filter(draft__case=case, draft__agent=request.user).exists():
        mine.delete()
        return None
    defaults = {"text": text, "saved_at": now(), **about}
    return Draft.objects.update_or_create(case=case, agent=request.user, channel=channel, defaults=defaults)[0]


@signed_in
@require_POST
def add_file(request: AgentRequest, pk: int) -> HttpResponse:
    case, form = case_or_404(request, pk), UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "inbox/_composer_error.html", {"words": form.words}, status=422)
    upload, channel = form.cleaned_data["file"], form.cleaned_data["channel"]
    name, content = clean(upload.name), upload.read()
    trouble = ADAPTERS[Channel(channel)].limits.file_trouble(name, sniff(content, form.content_type), len(content))
    if trouble:
        return render(request, "inbox/_composer_error.html", {"words": trouble}, status=422)
    with transaction.atomic():
        draft, _ = Draft.objects.get_or_create(case=case, agent=request.user, channel=channel)
        row = Attachment(draft=draft, uploaded_by=request.user, name=name, content_type=form.content_type)
        try:
            store(row, content)
        except TryLater as error:
            transaction.set_rollback(True)
            words = f"{error} Try again in a minute."
            return render(request, "inbox/_composer_error.html", {"words": words}, status=503)
        row.save()
    return render(request, "inbox/_draft_files.html", {"files": draft.attachments.all(), "case": case})


@signed_in
@require_POST
def drop_file(request: AgentRequest, pk: int, file_pk: int) -> HttpResponse:
    case = case_or_404(request, pk)
    mine = Attachment.objects.filter(draft__case=case, draft__agent=request.user, entry=None)
    forget(mine.filter(pk=file_pk))
    return render(request, "inbox/_draft_files.html", {"files": mine, "case": case})
