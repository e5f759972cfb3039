"""The owner of an account signs in at its provider and comes back with leave for us to speak for it (OAuth)."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from connectors.errors import ConnectionLost
from connectors.fields import keyring
from connectors.messages import Grant
from connectors.models import Connector
from inbox import checking
from inbox.http import AgentRequest
from inbox.views.connections import noted
from inbox.views.doors import supervisors_only
from inbox.views.setup import adapter_of, back_here, is_taken

UNDER_WAY = "signing_in_there"  # in the session: which connector, and the state its answer must bear
CHOICE = "accounts_to_choose_from"  # in the session, encrypted: they hold tokens


@supervisors_only
@require_safe
def leave(request: AgentRequest, pk: int) -> HttpResponse:
    connector = get_object_or_404(Connector, pk=pk)
    state = secrets.token_urlsafe(32)
    address = adapter_of(connector.kind).sign_in_url(connector.account(), back_here(), state)
    if not address:
        messages.error(request, "Something is missing for signing in there: fill in the earlier steps first.")
        return redirect(f"/connections/{pk}/")
    request.session[UNDER_WAY] = {"connector": pk, "state": state}
    return redirect(address)


@supervisors_only
@require_safe
def come_back(request: AgentRequest) -> HttpResponse:
    """Good once, in the browser that left, for the connection it left from."""
    under_way = request.session.pop(UNDER_WAY, None)
    if not under_way or not hmac.compare_digest(under_way["state"].encode(), request.GET.get("state", "").encode()):
        messages.error(request, "That sign-in was not begun here, or it was used already. Begin again.")
        return redirect("/health/")
    connector = get_object_or_404(Connector, pk=under_way["connector"])
    code = request.GET.get("code", "")
    if not code:
        said = request.GET.get("error_description", "")[:200].rstrip(".")
        messages.error(request, f"You were not signed in{f': {said}' if said else ''}. Nothing was changed.")
        return redirect(f"/connections/{connector.pk}/")
    try:
        found = adapter_of(connector.kind).grants(connector.account(), code, back_here())
    except ConnectionLost as error:
        messages.error(request, error.reason)
        return redirect(f"/connections/{connector.pk}/")
    wanted = [each for each in found if each.address in connector.addresses] or found
    if len(wanted) == 1:
        return _take(request, connector, wanted[0])
    request.session[CHOICE] = keyring().encrypt(json.dumps([asdict(each) for each in found]).encode()).decode()
    return render(
        request, "inbox/connection_account.html", {"connector": connector, "accounts": found, "place": "health"}
    )


@supervisors_only
@require_POST
def choose(request: AgentRequest, pk: int) -> HttpResponse:
    """Of several accounts that the owner let us into, this one."""
    connector = get_object_or_404(Connector, pk=pk)
    try:
        kept = json.loads(keyring().decrypt(request.session.pop(CHOICE, "").encode(), ttl=900))
    except InvalidToken:
        messages.error(request, "That took too long. Sign in there again.")
        return redirect(f"/connections/{pk}/")
    chosen = next((Grant(**each) for each in kept if each["address"] == request.POST.get("address")), None)
    if chosen is None:
        messages.error(request, "Choose one of the accounts.")
        return redirect(f"/connections/{pk}/")
    return _take(request, connector, chosen)


def _take(request: AgentRequest, connector: Connector, grant: Grant) -> HttpResponse:
    """Keeps the sign-in, then has it tested: that also subscribes us to the account's messages."""
    if is_taken(grant.address, connector.kind, connector):
        messages.error(request, f"{grant.name or grant.address} is connected already, elsewhere on this page.")
    elif connector.addresses and grant.address not in connector.addresses:
        messages.error(
            request,
            f"You signed in as {grant.name or grant.address}, but this connection is for another account. Sign out "
            "there first, then sign in as the right one.",
        )
    else:
        if not connector.addresses:
            Connector.objects.filter(pk=connector.pk).update(addresses=[grant.address])
        connector.keep(grant.secrets, grant.options)
        connector.begins_anew()
        checking.ask(connector)
        noted(request.user, connector, f"signed in there as {grant.name or grant.address}")
        messages.info(request, f"Signed in as {grant.name or grant.address}.")
    return redirect(f"/connections/{connector.pk}/")
