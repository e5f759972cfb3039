"""What every page of ours shares: who looks, what the rail shows, and that nothing of it is kept by a cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.timezone import now

from inbox.models import Agent, Alert, Case, Entry
from inbox.views.connections import endangered
from inbox.views.proposed import to_review

MOST_COUNTED = 1000


class AgentRequest(HttpRequest):
    """A request of a signed-in agent, as django_htmx marks it."""

    user: Agent
    htmx: Any


View = Callable[..., HttpResponseBase]


def signed_in(view: View) -> View:
    """Sends strangers to the sign-in page; a fragment request is told to go there as a whole page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            request.user.know_teams()
            return view(request, *args, **kwargs)
        if is_fragment(request) or request.method == "POST":
            back = request.headers.get("HX-Current-URL", "/")
            answer = HttpResponse(status=401)
            answer["HX-Redirect"] = redirect_to_login(back, settings.LOGIN_URL)["Location"]
            return answer
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)

    return guarded


def is_fragment(request: HttpRequest) -> bool:
    """A piece of the page is wanted. Going back in history wants the whole page."""
    asked: Any = getattr(request, "htmx", None)
    return bool(asked) and not asked.history_restore_request


def case_or_404(request: AgentRequest, pk: int) -> Case:
    """The door: the case, or the one it was merged into, if this agent may see it."""
    visible = Case.objects.visible_to(request.user).select_related("customer", "assignee", "team")
    case = visible.filter(pk=pk).first()
    if case and case.merged_into_id:
        case = visible.filter(pk=case.current().pk).first()
    if case is None:
        raise Http404
    return case


def entry_or_404(request: AgentRequest, pk: int) -> Entry:
    entry = Entry.objects.visible_to(request.user).filter(pk=pk).first()
    if entry is None:
        raise Http404
    return entry


def capped(count: int, most: int = MOST_COUNTED) -> str:
    return f"{most:,}+" if count > most else f"{count:,}"


def shell(request: HttpRequest) -> dict[str, Any]:
    """For base.html. Lazy: fragments do not pay for the rail."""
    agent = request.user if hasattr(request, "user") and request.user.is_authenticated else None
    if not isinstance(agent, Agent):
        return {"agent": None}
    return {
        "agent": agent,
        "team_ids": SimpleLazyObject(lambda: agent.team_ids),
        "unseen_alerts": SimpleLazyObject(lambda: unseen_alerts(agent)),
        "to_review": SimpleLazyObject(lambda: to_review(agent)),
        "endangered": SimpleLazyObject(endangered) if agent.is_supervisor else [],
        "left_alone": SimpleLazyObject(Case.objects.live().left_alone().count) if agent.is_admin else 0,
        "server_time": now().isoformat(),
        "undo_seconds": settings.UNDO_SECONDS,
    }


def unseen_alerts(agent: Agent) -> str:
    """For the rail's badge; empty when there is none."""
    count = Alert.objects.unseen_by(agent).values("pk")[: 99 + 1].count()
    return capped(count, 99) if count else ""


def no_store(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Pages show customers' words: neither a proxy nor the back button of the next person may bring them up again."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response

    return middleware
