"""Writing first: to an address nobody has seen yet, or to somebody known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from connectors.adapters import ADAPTERS
from connectors.messages import Channel, Standing
from connectors.models import Connector, ConnectorKind
from inbox import outbox
from inbox.http import AgentRequest, signed_in
from inbox.models import Agent


class StartForm(forms.Form):
    connector = forms.ModelChoiceField(
        Connector.objects.none(), error_messages={"required": "Choose where to write from."}
    )
    address = forms.CharField(max_length=320, error_messages={"required": "Type an address."})
    name = forms.CharField(max_length=200, required=False)
    subject = forms.CharField(max_length=300, required=False)
    text = forms.CharField(max_length=50_000, strip=False, error_messages={"required": "Write something first."})
    confirmed = forms.BooleanField(required=False)

    def __init__(self, agent: Agent, data: Mapping[str, Any] | None = None, **rest: Any) -> None:
        super().__init__(data, **rest)
        self.fields["connector"].queryset = usable_by(agent)  # type: ignore[attr-defined]


def usable_by(agent: Agent) -> Any:
    """Connectors of the agent's teams on which we may write first. Not where only they may begin."""
    first = Standing(now=now())
    kinds = [kind for kind in ConnectorKind.values if ADAPTERS[Channel(kind)].limits.refusal(first) is None]
    rows = Connector.objects.active().filter(kind__in=kinds).select_related("team")
    return rows if agent.is_supervisor else rows.filter(team__agents=agent)


@signed_in
@require_http_methods(["GET", "POST"])
def start(request: AgentRequest) -> HttpResponse:
    if request.method == "GET":
        initial = {name: request.GET.get(name, "")[:320] for name in ("connector", "address", "name")}
        return _page(request, StartForm(request.user, initial=initial))
    form = StartForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    given: dict[str, Any] = form.cleaned_data
    try:
        case = outbox.start(
            by=request.user,
            connector=given["connector"],
            address=given["address"],
            name=given["name"],
            subject=given["subject"],
            text=given["text"],
            confirmed=given["confirmed"],
        )
    except outbox.NeedsConfirmation as error:
        return _page(request, form, confirm=error.words)
    except outbox.CannotSend as error:
        form.add_error("address", f"{error.reason} {error.remedy}".strip())
        return _page(request, form, status=422)
    except outbox.WouldDisclose as error:
        told = error.held[0].what
        form.add_error(
            "text", f"We are not sure that this address is theirs, and this would tell {told}. Begin without it."
        )
        return _page(request, form, status=422)
    except outbox.BadReply as error:
        form.add_error(error.field if error.field in form.fields else None, error.words)
        return _page(request, form, status=422)
    messages.info(request, "On its way.")
    return redirect(f"/inbox/open/c/{case.pk}/")


def _page(request: AgentRequest, form: StartForm, *, status: int = 200, confirm: str = "") -> HttpResponse:
    connectors = list(usable_by(request.user))
    chosen = str(form["connector"].value() or "")
    if not any(str(each.pk) == chosen for each in connectors):
        chosen = str(connectors[0].pk) if connectors else ""
    context = {"form": form, "connectors": connectors, "chosen": chosen, "confirm": confirm, "place": "inbox"}
    return render(request, "inbox/start.html", context, status=status)
