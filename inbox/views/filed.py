"""Mail that waits for nobody: order mails, newsletters, spam. And the way back for what was misjudged."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from connectors.messages import Classification
from customers.models import Identity
from inbox import intake
from inbox.http import AgentRequest, entry_or_404, signed_in
from inbox.models import Agent, Entry, EntryKind
from inbox.views.customer import is_visible
from inbox.views.doors import number_or_404

PAGE = 50
CLASSES = {
    Classification.AUTOMATIC: "Automatic",
    Classification.BULK: "Newsletters and lists",
    Classification.SPAM: "Spam",
    Classification.BOUNCE: "Bounces",
}


@signed_in
@require_GET
def filed(request: AgentRequest) -> HttpResponse:
    rows = Entry.objects.visible_to(request.user).filed()
    wanted = request.GET.get("class", "")
    if wanted:
        if wanted not in set(CLASSES):
            raise Http404
        rows = rows.filter(classification=wanted)
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=number_or_404(before))
    rows = rows.select_related("identity__customer", "connector", "case").defer(
        "html", "quoted", "search", "connector__credentials"
    )
    page = list(rows.order_by("-pk")[: PAGE + 1])
    context = {
        "entries": page[:PAGE],
        "before": page[PAGE - 1].pk if len(page) > PAGE else None,
        "classes": [(str(key), words) for key, words in CLASSES.items()],
        "wanted": wanted,
        "place": "inbox",
    }
    return render(request, "inbox/filed.html", context)


@signed_in
@require_POST
def person(request: AgentRequest, pk: int) -> HttpResponse:
    entry = entry_or_404(request, pk)
    if entry.kind != EntryKind.FILED or entry.identity_id is None or entry.connector_id is None or entry.erased_at:
        messages.info(request, "Somebody took care of this one already.")
        return redirect("/inbox/filed/")
    case = intake.this_is_a_person(entry, by=request.user)
    messages.info(request, "It is a case now. Mail from this sender will not be filed again.")
    return redirect(f"/inbox/open/c/{case.pk}/")


@signed_in
@require_POST
def block(request: AgentRequest, pk: int) -> HttpResponse:
    identity = _identity(request.user, pk)
    intake.block(identity, by=request.user)
    messages.info(request, f"{identity.shown} is blocked. What it sends is filed as spam.")
    return redirect(_back(request, identity))


@signed_in
@require_POST
def unblock(request: AgentRequest, pk: int) -> HttpResponse:
    identity = _identity(request.user, pk)
    intake.unblock(identity, by=request.user)
    messages.info(request, f"{identity.shown} is not blocked any more.")
    return redirect(_back(request, identity))


def _identity(agent: Agent, pk: int) -> Identity:
    """The door: an address is seen through what it wrote, or through the customer's cases."""
    identity = Identity.objects.select_related("customer").filter(pk=pk).first()
    if identity is None:
        raise Http404
    if not Entry.objects.visible_to(agent).filter(identity=identity).exists() and not is_visible(
        identity.customer, agent
    ):
        raise Http404
    return identity


def _back(request: AgentRequest, identity: Identity) -> str:
    return "/inbox/filed/" if request.POST.get("from") == "filed" else f"/customers/{identity.customer_id}/"
