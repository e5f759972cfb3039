"""A file of customers, orders or events, taken whole or not at all."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.core.files.base import File
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from inbox import importing, proposing
from inbox.http import AgentRequest
from inbox.views.doors import supervisors_only

MOST_SHOWN = 20


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
        taken = importing.take_file(content, form.cleaned_data["what"], source=source, by=request.user)
    except importing.Unreadable as error:
        return _page(request, form, error.problems)
    proposing.propose_some(taken.doubtful)
    messages.info(request, f"{taken.made:,} new, {taken.known:,} known before.")
    for words in taken.left[:MOST_SHOWN]:
        messages.info(request, words)
    return redirect("/customers/import/")


def _page(request: AgentRequest, form: ImportForm, problems: object) -> HttpResponse:
    context = {"form": form, "problems": problems, "what": importing.WHAT, "place": "customers"}
    return render(request, "customers/import.html", context, status=422 if request.method == "POST" else 200)
