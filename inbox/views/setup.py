"""Connecting a mailbox, a number or an account, page by page; and one connection's own page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connectors.adapters import ADAPTERS
from connectors.adapters.base import Adapter
from connectors.adapters.steps import Field, Step, fields, missing
from connectors.messages import Channel
from connectors.models import Connector, ConnectorKind
from customers.identities import NotAnAddress, normalise_ours
from inbox import checking
from inbox.forms import Checked
from inbox.http import AgentRequest
from inbox.models import Team
from inbox.views.connections import connection_of, noted
from inbox.views.doors import supervisors_only

BASICS = "basics"


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as the list of steps shows it."""

    name: str
    title: str
    is_done: bool


class BasicsForm(Checked):
    name = forms.CharField(max_length=120, error_messages={"required": "Give it a name."})
    team = forms.ModelChoiceField(Team.objects.order_by("name"), error_messages={"required": "Choose a team."})
    addresses = forms.CharField(max_length=2_000, required=False)

    def __init__(self, kind: str, *args: Any, connector: Connector | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.adapter, self.connector = adapter_of(kind), connector

    def clean_addresses(self) -> list[str]:
        if not self.adapter.own_address:
            return list(self.connector.addresses) if self.connector else []
        given = self.cleaned_data["addresses"].replace(",", "\n").split("\n")
        found = list(dict.fromkeys(self._normal(each.strip()) for each in given if each.strip()))
        if not found:
            raise forms.ValidationError("Give at least one address.")
        for address in found:
            if is_taken(address, self.adapter.channel, self.connector):
                raise forms.ValidationError(f"{address} is connected already.")
        return found

    def _normal(self, address: str) -> str:
        try:
            return normalise_ours(self.adapter.identity_kind, address)
        except NotAnAddress as error:
            raise forms.ValidationError(f"{error}.") from error


class StepForm(Checked):
    """The fields of one step. A secret that is kept already may stay empty: then it stays as it is."""

    def __init__(self, step: Step, kept: Mapping[str, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.step = step
        for field in step.fields:
            if not field.is_made:
                self.fields[field.name] = _form_field(
                    field, has_value=bool(kept.get(field.name) or kept.get(field.unless))
                )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, value in cleaned.items():
            if isinstance(value, bool):
                cleaned[name] = "yes" if value else ""
        for field in self.step.fields:
            try:
                if field.check:
                    field.check(cleaned.get(field.name, ""))
            except ValueError as error:
                self.add_error(field.name, str(error))
        return cleaned


def _form_field(field: Field, *, has_value: bool) -> forms.Field:
    if is_tick(field):
        return forms.BooleanField(required=False)
    words = {"required": f"{field.question} is missing.", "invalid_choice": f"{field.question}: choose one."}
    is_required = field.is_needed and not (field.is_secret and has_value) and not field.like
    if field.choices:
        return forms.ChoiceField(choices=field.choices, required=is_required, error_messages=words)
    return forms.CharField(max_length=2_000, required=is_required, error_messages=words)


def is_tick(field: Field) -> bool:
    return field.choices == (("yes", ""),)


def back_here() -> str:
    """Where people come back to after they signed in at a provider, who must know this address beforehand."""
    return f"{settings.PUBLIC_URL}/connections/signed-in/"


def adapter_of(kind: str) -> Adapter:
    return ADAPTERS[Channel(kind)]


def is_taken(address: str, kind: str, besides: Connector | None) -> bool:
    others = Connector.objects.filter(kind=kind, addresses__contains=[address])
    return (others.exclude(pk=besides.pk) if besides else others).exists()


@supervisors_only
@require_safe
def choose(request: AgentRequest) -> HttpResponse:
    return render(request, "inbox/connection_new.html", {"kinds": ConnectorKind.choices, "place": "health"})


@supervisors_only
@require_http_methods(["GET", "POST"])
def begin(request: AgentRequest, kind: str) -> HttpResponse:
    if kind not in ConnectorKind.values:
        raise Http404
    form = BasicsForm(kind, request.POST or None, initial={"team": Team.objects.order_by("pk").first()})
    if request.method == "GET" or not form.is_valid():
        return _basics(request, form, kind, None)
    made = {field.name: secrets.token_urlsafe(18) for field in fields(adapter_of(kind).steps).values() if field.is_made}
    connector = Connector.objects.create(
        kind=kind, credentials=made, is_active=False, is_set_up=False, **form.cleaned_data
    )
    noted(request.user, connector, "begun")
    return _onwards(connector, BASICS)


@supervisors_only
@require_safe
def show(request: AgentRequest, pk: int) -> HttpResponse:
    connector = get_object_or_404(Connector.objects.select_related("team"), pk=pk)
    context = {
        "connector": connector,
        "connection": connection_of(connector),
        "stages": stages(connector),
        "is_complete": all(stage.is_done for stage in stages(connector)),
        "webhook": adapter_of(connector.kind).receives_webhooks,
        "place": "health",
        **_findings(connector),
    }
    return render(request, "inbox/connection.html", context)


@supervisors_only
@require_http_methods(["GET", "POST"])
def step(request: AgentRequest, pk: int, name: str) -> HttpResponse:
    connector = get_object_or_404(Connector.objects.select_related("team"), pk=pk)
    if name == BASICS:
        return _change_basics(request, connector)
    wanted = next((each for each in adapter_of(connector.kind).steps if each.name == name), None)
    if wanted is None:
        raise Http404
    kept = kept_by(connector)
    form = StepForm(wanted, kept, request.POST if request.method == "POST" else None)
    if request.method == "GET" or not form.is_valid():
        return _step(request, form, connector, kept)
    changed = _save(connector, wanted, form.cleaned_data, kept)
    if changed:
        noted(request.user, connector, f"{wanted.title}: {', '.join(changed)}")
    return _onwards(connector, name)


@supervisors_only
@require_POST
def test(request: AgentRequest, pk: int) -> HttpResponse:
    connector = get_object_or_404(Connector, pk=pk)
    checking.ask(connector)
    return redirect(f"/connections/{pk}/#test")


@supervisors_only
@require_safe
def findings(request: AgentRequest, pk: int) -> HttpResponse:
    """The fragment that asks for itself until the test is over."""
    connector = get_object_or_404(Connector, pk=pk)
    return render(request, "inbox/_findings.html", {"connector": connector, **_findings(connector)})


@supervisors_only
@require_POST
def finish(request: AgentRequest, pk: int) -> HttpResponse:
    connector = get_object_or_404(Connector, pk=pk)
    unfinished = [stage.title for stage in stages(connector) if not stage.is_done]
    if unfinished:
        messages.error(request, f"Something is still missing: {', '.join(unfinished)}.")
        return redirect(f"/connections/{pk}/")
    Connector.objects.filter(pk=pk).update(is_set_up=True, is_active=True)
    connector.begins_anew()
    noted(request.user, connector, "finished")
    messages.info(request, f"{connector.name} is connected.")
    return redirect(f"/connections/{pk}/")


@supervisors_only
@require_POST
def forget(request: AgentRequest, pk: int) -> HttpResponse:
    """A set-up that came to nothing. What was ever finished is paused instead: its messages belong to it."""
    connector = get_object_or_404(Connector, pk=pk, is_set_up=False, receipts=None)
    connector.delete()
    noted(request.user, connector, "dropped before it was finished")
    messages.info(request, f"{connector.name} was dropped; nothing of it is kept.")
    return redirect("/health/")


def kept_by(connector: Connector) -> dict[str, str]:
    return {**connector.options, **connector.credentials}


def stages(connector: Connector) -> list[Stage]:
    kept = kept_by(connector)
    steps = adapter_of(connector.kind).steps
    made = [Stage(each.name, each.title, not missing(each, kept)) for each in steps]
    return [Stage(BASICS, "Name and team", True), *made]


def _onwards(connector: Connector, name: str) -> HttpResponse:
    """To the next step while it is being set up, else back to the page of the connection."""
    if connector.is_set_up:
        return redirect(f"/connections/{connector.pk}/")
    names = [stage.name for stage in stages(connector)]
    following = names[names.index(name) + 1 :]
    return redirect(f"/connections/{connector.pk}/" + (f"step/{following[0]}/" if following else ""))


def _change_basics(request: AgentRequest, connector: Connector) -> HttpResponse:
    kept = {"name": connector.name, "team": connector.team, "addresses": "\n".join(connector.addresses)}
    form = BasicsForm(connector.kind, request.POST or None, initial=kept, connector=connector)
    if request.method == "GET" or not form.is_valid():
        return _basics(request, form, connector.kind, connector)
    Connector.objects.filter(pk=connector.pk).update(**form.cleaned_data)
    if form.changed_data:
        noted(request.user, connector, ", ".join(form.changed_data))
    return _onwards(connector, BASICS)


def _save(connector: Connector, step: Step, given: Mapping[str, str], kept: Mapping[str, str]) -> list[str]:
    """An empty secret keeps what is there. What was changed may repair what was broken, so it is tried anew. Returns
    the questions that have another answer now."""
    known = {**kept, "address": connector.address if connector.addresses else "", "name": connector.name}
    found: dict[str, str] = {}
    for field in step.fields:
        if field.is_made:
            continue
        value = str(given.get(field.name) or "").strip()
        if not value and field.is_secret:
            value = kept.get(field.name, "")
        found[field.name] = value or (known | found).get(field.like, "") or ("" if field.choices else field.default)
    connector.keep(
        secrets={field.name: found[field.name] for field in step.fields if field.name in found and not field.is_option},
        options={field.name: found[field.name] for field in step.fields if field.name in found and field.is_option},
    )
    connector.begins_anew()
    return [
        field.question for field in step.fields if field.name in found and found[field.name] != kept.get(field.name, "")
    ]


def _findings(connector: Connector) -> dict[str, Any]:
    found = connector.findings or []
    return {
        "findings": found,
        "all_well": bool(found) and all(each["ok"] for each in found),
        "arrived": checking.arrived(connector) if connector.check_asked_at else None,
    }


def _basics(request: AgentRequest, form: BasicsForm, kind: str, connector: Connector | None) -> HttpResponse:
    context = {
        "form": form,
        "kind": kind,
        "connector": connector,
        "stages": stages(connector) if connector else [],
        "here": BASICS,
        "own_address": form.adapter.own_address,
        "teams": Team.objects.order_by("name"),
        "chosen_team": str(getattr(form["team"].value(), "pk", form["team"].value()) or ""),
        "place": "health",
    }
    return render(request, "inbox/connection_basics.html", context, status=422 if form.errors else 200)


def _step(request: AgentRequest, form: StepForm, connector: Connector, kept: Mapping[str, str]) -> HttpResponse:
    known = {**kept, "address": connector.address if connector.addresses else "", "name": connector.name}
    asked = [_asked(field, form, known) for field in form.step.fields if not field.is_made]
    context = {
        "step": form.step,
        "connector": connector,
        "asked": asked,
        "back_here": back_here(),
        "made": [(field.question, kept.get(field.name, "")) for field in form.step.fields if field.is_made],
        "stages": stages(connector),
        "can_sign_in": form.step.signs_in and bool(_way_there(connector)),
        "here": form.step.name,
        "place": "health",
    }
    return render(request, "inbox/connection_step.html", context, status=422 if form.errors else 200)


def _way_there(connector: Connector) -> str:
    """Empty while nothing is known of the provider to sign in at, or where nobody signs in."""
    return adapter_of(connector.kind).sign_in_url(connector.account(), "", "")


def _asked(field: Field, form: StepForm, known: Mapping[str, str]) -> dict[str, Any]:
    """One field as the page draws it. A secret's value is never among it."""
    value = form.data.get(field.name, "") if form.is_bound else known.get(field.name) or known.get(field.like, "")
    return {
        "field": field,
        "value": "" if field.is_secret else value or field.default,
        "is_kept": field.is_secret and bool(known.get(field.name)),
        "is_tick": is_tick(field),
        "error": next(iter(form.errors.get(field.name, [])), ""),
    }
