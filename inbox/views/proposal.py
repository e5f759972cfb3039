"""Perhaps the same person: the card in a case, the queue of all of them, and the three answers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from customers.models import Customer
from inbox import proposing
from inbox.http import AgentRequest, case_or_404, is_fragment, signed_in
from inbox.merging import CannotJoin
from inbox.models import Case, Proposal, ProposalState
from inbox.views.case import answer
from inbox.views.doors import number_or_404
from inbox.views.proposed import cards_of, seen_by

MOST_LOOKED_THROUGH, MOST_LOOKED_AT, MOST_SHOWN = 5_000, 200, 30


@signed_in
@require_GET
def review(request: AgentRequest) -> HttpResponse:
    """The queue: what waits for somebody's answer, strongest first."""
    seen = seen_by(request.user, Proposal.objects.undecided(), MOST_LOOKED_THROUGH)[:MOST_LOOKED_AT]
    found = Proposal.objects.filter(pk__in=seen).select_related("one", "other", "decided_by")
    ordered = found.prefetch_related("evidence").order_by("-points", "-pk")
    cards = cards_of(ordered, request.user, lambda one: False, MOST_SHOWN)
    context = {"cards": cards, "most": MOST_SHOWN, "record": _record() if request.user.is_supervisor else None}
    return render(request, "customers/review.html", {**context, "place": "customers"})


@signed_in
@require_GET
def count(request: AgentRequest) -> HttpResponse:
    return render(request, "_review_badge.html")


def _record() -> dict[str, int]:
    """How often the agents said yes: whether these proposals are any good."""
    same = Proposal.objects.filter(state=ProposalState.ACCEPTED).count()
    return {"same": same, "decided": same + Proposal.objects.filter(state=ProposalState.DIFFERENT).count()}


@signed_in
@require_POST
def accept(request: AgentRequest, pk: int) -> HttpResponse:
    if not request.user.is_allowed_to_join:
        raise PermissionDenied("You may not join people. A supervisor can allow it, or do it for you.")
    proposal = _proposal_or_404(request, pk)
    try:
        merge = proposing.accept(proposal, by=request.user)
    except CannotJoin as error:
        return _back(request, error.reason, is_bad=True)
    return _back(
        request, "They are one person now. You can take it back on their page.", joined=merge.survivor.current()
    )


@signed_in
@require_POST
def differ(request: AgentRequest, pk: int) -> HttpResponse:
    try:
        proposing.differ(_proposal_or_404(request, pk), by=request.user)
    except CannotJoin as error:
        return _back(request, error.reason, is_bad=True)
    return _back(request, "Noted: different people. You are asked again only when something new speaks for it.")


@signed_in
@require_POST
def ask(request: AgentRequest, pk: int) -> HttpResponse:
    try:
        asked = proposing.ask(_proposal_or_404(request, pk), by=request.user)
    except proposing.CannotAsk as error:
        return _back(request, error.reason, is_bad=True)
    return _back(request, f"A code is on its way to {asked.shown}.")


def _proposal_or_404(request: AgentRequest, pk: int) -> Proposal:
    proposal = Proposal.objects.undecided().filter(pk=pk).select_related("one", "other").first()
    if proposal is None or not cards_of([proposal], request.user, lambda one: False, 1):
        raise Http404
    return proposal


def _back(request: AgentRequest, words: str, *, is_bad: bool = False, joined: Customer | None = None) -> HttpResponse:
    """To the queue; or to the case whose panel it was answered in."""
    case = case_or_404(request, number_or_404(request.POST["case"])) if request.POST.get("case") else None
    if case and is_fragment(request) and not joined:
        if is_bad:
            return render(request, "inbox/_composer_error.html", {"words": words}, status=422)
        return answer(request, case, events={"says": {"words": words}})
    (messages.error if is_bad else messages.info)(request, words)
    live = Case.objects.live_of(joined) if joined and case else None
    where = f"/inbox/open/c/{(live or case).pk}/" if case else "/customers/review/"
    if is_fragment(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = where
        return response
    return redirect(where)
