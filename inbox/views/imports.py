"""A file of customers, orders or events: read whole and refused whole, or begun; and how far it is."""

from __future__ import annotations

from typing import cast

from django import forms
from django.core.files.base import File
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inbox import importing
from inbox.http import AgentRequest, is_fragment
from inbox.models import FileImport
from inbox.views.doors import supervisors_only

MOST_LISTED = 10


class ImportForm(forms.Form):
    what = forms.ChoiceField(
        choices=list(importing.WHAT.items()), error_messages={"required": "Say what is in the file."}
    )
    source = forms.CharField(max_length=60, error_messages={"required": "Say which system the file is from."})
    file = forms.FileField(error_messages={"required": "Choose a file.", "empty": "The file is empty."})


@supervisors_only
@require_http_methods(["GET", "POST"])
def imports(request: AgentRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ImportForm(initial={"what": "customers"}), [])
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, [])
    file = cast("File[bytes]", form.cleaned_data["file"])
    source = " ".join(form.cleaned_data["source"].split())
    content = file.read(importing.MOST_OCTETS + 1)
    try:
        what, name = form.cleaned_data["what"], file.name or ""
        run = importing.begin(content, what, source=source, by=request.user, name=name)
    except importing.Unreadable as error:
        return _page(request, form, error.problems)
    return redirect(f"/customers/import/{run.pk}/")


@supervisors_only
@require_GET
def progress(request: AgentRequest, pk: int) -> HttpResponse:
    name = "customers/_import.html" if is_fragment(request) else "customers/import_progress.html"
    return render(request, name, {"run": get_object_or_404(_runs(), pk=pk), "place": "customers"})


@supervisors_only
@require_POST
def again(request: AgentRequest, pk: int) -> HttpResponse:
    importing.try_again(get_object_or_404(_runs(), pk=pk))
    return redirect(f"/customers/import/{pk}/")


def _runs() -> QuerySet[FileImport]:
    return FileImport.objects.defer("content").select_related("made_by")


def _page(request: AgentRequest, form: ImportForm, problems: object) -> HttpResponse:
    runs = _runs().order_by("-pk")[:MOST_LISTED]
    context = {"form": form, "problems": problems, "what": importing.WHAT, "runs": runs, "place": "customers"}
    return render(request, "customers/import.html", context, status=422 if request.method == "POST" else 200)
