"""Files leave by links that are signed and short-lived; only the first step asks who you are."""

from __future__ import annotations

from urllib.parse import quote

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST, require_safe

from inbox.http import AgentRequest, signed_in
from inbox.intake.files import fetch_again
from inbox.locking import locked
from inbox.models import Attachment, Entry, FileState
from inbox.models.media import file_link, file_of, media_of
from inbox.views.case import answer

FILE_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


@signed_in
@require_GET
def attachment(request: AgentRequest, uuid: str) -> HttpResponse:
    """May this agent see it? Then here is a link for a minute."""
    found = Attachment.objects.filter(uuid=uuid, state=FileState.STORED).first()
    if found is None:
        raise Http404
    visible = Entry.objects.visible_to(request.user).filter(pk=found.entry_id or 0).exists()
    if not visible and not (found.entry_id is None and found.uploaded_by_id == request.user.pk):
        raise Http404
    return redirect(file_link(found))


@signed_in
@require_POST
def again(request: AgentRequest, uuid: str) -> HttpResponse:
    """A file that could not be fetched is fetched once more, now."""
    found = get_object_or_404(Attachment.objects.select_related("entry__case"), uuid=uuid, entry__isnull=False)
    assert found.entry is not None
    if not Entry.objects.visible_to(request.user).filter(pk=found.entry_id or 0).exists():
        raise Http404
    words = "It is being fetched again." if fetch_again(found) else "There is nothing left to fetch it from."
    if found.entry.case is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    with locked(found.entry.case) as case:
        case.changed(found.entry)
    return answer(request, case, events={"says": {"words": words}})


@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    return _sent(file_of(token))


@require_safe
def media(request: HttpRequest, token: str) -> HttpResponseBase:
    """For the provider that fetches what we send."""
    return _sent(media_of(token))


def _sent(found: Attachment | None) -> HttpResponseBase:
    """Images may show; everything else is saved, never opened, whatever it claims to be."""
    if found is None or found.state != FileState.STORED or not default_storage.exists(found.key):
        raise Http404
    kind = found.content_type if found.is_image else "application/octet-stream"
    response = FileResponse(default_storage.open(found.key), content_type=kind)
    how = "inline" if found.is_image else "attachment"
    response["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(found.name)}"
    response["Content-Security-Policy"] = FILE_POLICY
    response["Cache-Control"] = "private, max-age=60"
    return response
