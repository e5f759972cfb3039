"""The list of cases: which ones a view holds, in what order, page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Q, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from inbox.http import MOST_COUNTED, AgentRequest, capped, is_fragment, signed_in
from inbox.locking import locked
from inbox.models import Agent, Case, Status
from inbox.models.cases import CaseQuerySet

PAGE = 50
SORTS = {"longest": "Longest waiting", "newest": "Newest", "moved": "Moved"}
AWAKE = [Status.OPEN, Status.WAITING]
SHOWN = """
    sensitive
    status is_live version subject preview channel previous_channel channels open_channels waiting_since moved_at
    shows_move snoozed_until last_entry_id last_kind last_author last_at last_inbound_id has_failed_delivery beside
    customer assignee customer__name assignee__name assignee__email
""".split()  # noqa: SIM905  what a row shows: fifty of all there is to a case take twice the time


@dataclass(frozen=True)
class InboxView:
    """One fixed view. static/js/list.js files live rows under the same rules."""

    slug: str
    name: str
    holds: Callable[[Agent], Q]
    sorts: tuple[str, ...] = ("longest", "newest", "moved")
    empty: str = "All caught up."
    is_own: bool = False  # holds something else for every agent, not only for every team

    def cases(self, agent: Agent) -> CaseQuerySet:
        return Case.objects.visible_to(agent).filter(self.holds(agent))

    def seen_by(self, agent: Agent) -> str:
        """Equal for agents who see the same cases in it."""
        if self.is_own or agent.is_named:
            return f"agent-{agent.pk}"
        return "all" if agent.is_supervisor else "teams-" + "-".join(map(str, sorted(agent.team_ids)))


VIEWS = {
    view.slug: view
    for view in [
        InboxView("mine", "Mine", lambda agent: Q(is_live=True, assignee=agent, status__in=AWAKE), is_own=True),
        InboxView(
            "unassigned",
            "Nobody's yet",
            lambda _: Q(is_live=True, assignee=None, status__in=AWAKE),
            empty="Everything has somebody.",
        ),
        InboxView("open", "All open", lambda _: Q(is_live=True, status=Status.OPEN)),
        InboxView(
            "waiting",
            "Waiting on customer",
            lambda _: Q(is_live=True, status=Status.WAITING),
            ("newest", "moved"),
            "Nobody owes us an answer.",
        ),
        InboxView(
            "snoozed",
            "Snoozed",
            lambda _: Q(status=Status.SNOOZED, merged_into=None),
            ("soonest",),
            "Nothing is asleep.",
        ),
        InboxView(
            "resolved", "Resolved", lambda _: Q(status=Status.RESOLVED, merged_into=None), ("newest",), "Nothing yet."
        ),
    ]
}


@dataclass(frozen=True)
class Listing:
    """One page of a view. `after` is where the next page starts, empty at the end."""

    view: InboxView
    sort: str
    cases: list[Case]
    after: str


def view_or_404(slug: str) -> InboxView:
    if slug not in VIEWS:
        raise Http404
    return VIEWS[slug]


@signed_in
@require_GET
def home(request: AgentRequest) -> HttpResponse:
    return redirect("/inbox/mine/")


@signed_in
@require_GET
def index(request: AgentRequest, slug: str) -> HttpResponse:
    view = view_or_404(slug)
    if is_fragment(request):
        return render(request, "inbox/_no_case.html", {"view": view})
    return render(request, "inbox/inbox.html", list_context(request, view))


@signed_in
@require_GET
def listed(request: AgentRequest, slug: str) -> HttpResponse:
    """The list alone, in another order."""
    return render(request, "inbox/_list.html", list_context(request, view_or_404(slug)))


@signed_in
@require_GET
def rows(request: AgentRequest, slug: str) -> HttpResponse:
    """The next page of rows."""
    view = view_or_404(slug)
    listing = page(view, request.user, sort_of(request, view), request.GET.get("after", ""))
    return render(request, "inbox/_rows.html", {"listing": listing, "view": view})


@signed_in
@require_GET
def menu(request: AgentRequest) -> HttpResponse:
    """The views with how many cases each holds."""
    counted = [(view, count(view, request.user)) for view in VIEWS.values()]
    return render(request, "inbox/_views.html", {"counted": counted, "now": request.GET.get("now", "")})


@signed_in
@require_POST
def take_next(request: AgentRequest) -> HttpResponse:
    """The customer who has waited longest and has nobody."""
    waiting = page(VIEWS["unassigned"], request.user, "longest", "").cases
    for candidate in waiting:
        with locked(candidate) as case:
            if case.assignee_id is None and case.is_live:
                case.assign(request.user, by=request.user)
                return _go(f"/inbox/mine/c/{case.pk}/")
    return _go("/inbox/unassigned/")


def _go(address: str) -> HttpResponse:
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = address
    return answer


def list_context(request: AgentRequest, view: InboxView) -> dict[str, Any]:
    listing = page(view, request.user, sort_of(request, view), "")
    return {
        "place": "inbox",
        "view": view,
        "listing": listing,
        "sorts": [(sort, SORTS[sort]) for sort in view.sorts if sort in SORTS],
        "count": count(view, request.user),
        "moved": moved(view, request.user),
        "next_back": next_back(request.user) if not listing.cases else None,
    }


def sort_of(request: AgentRequest, view: InboxView) -> str:
    """The order asked for now, else the one chosen last, else the view's own."""
    chosen = request.session.get("sorts", {})
    asked = request.GET.get("sort", "")
    if asked in view.sorts:
        if chosen.get(view.slug) != asked:
            request.session["sorts"] = {**chosen, view.slug: asked}
        return asked
    remembered = chosen.get(view.slug, "")
    return remembered if remembered in view.sorts else view.sorts[0]


def count(view: InboxView, agent: Agent) -> str:
    """Capped, and the same for a second: a count is never paid for per viewer and event."""
    return capped(_counted(f"count:{view.slug}:{view.seen_by(agent)}", view.cases(agent), MOST_COUNTED + 1))


def moved(view: InboxView, agent: Agent) -> int:
    if "moved" not in view.sorts:
        return 0
    return _counted(f"moved:{view.slug}:{view.seen_by(agent)}", view.cases(agent).filter(shows_move=True), 100)


def _counted(key: str, cases: CaseQuerySet, most: int) -> int:
    return int(cache.get_or_set(key, cases.values("pk")[:most].count, 1) or 0)


def next_back(agent: Agent) -> datetime | None:
    """When the next snoozed case of this agent comes back, for the empty list."""
    snoozed = Case.objects.visible_to(agent).filter(status=Status.SNOOZED, assignee=agent, snoozed_until__gt=now())
    return snoozed.order_by("snoozed_until").values_list("snoozed_until", flat=True).first()


def page(view: InboxView, agent: Agent, sort: str, after: str) -> Listing:
    """Keyset paging: `after` is the last row's own sort key, so rows that come or go in between shift nothing."""
    cases = for_rows(view.cases(agent))
    found = {"longest": _longest, "newest": _newest, "moved": _moved, "soonest": _soonest}[sort](cases, after)
    shown = found[:PAGE]
    decorate(shown, agent)
    return Listing(view, sort, shown, _key(sort, shown[-1]) if len(found) > PAGE else "")


def _longest(cases: CaseQuerySet, after: str) -> list[Case]:
    """Who waits for us, oldest first; then the rest, newest first."""
    kind, _, key = after.partition(".")
    found: list[Case] = []
    if kind != "rest":
        waiting = cases.filter(waiting_since__isnull=False).order_by("waiting_since", "pk")
        if since := _pair(key):
            waiting = waiting.filter(Q(waiting_since__gt=since[0]) | Q(waiting_since=since[0], pk__gt=since[1]))
        found = list(waiting[: PAGE + 1])
    if len(found) <= PAGE:
        rest = _newest(cases.filter(waiting_since=None), key if kind == "rest" else "")
        found += rest[: PAGE + 1 - len(found)]
    return found


def _newest(cases: CaseQuerySet, after: str) -> list[Case]:
    if after.isdecimal():
        cases = cases.filter(last_entry_id__lt=int(after))
    return list(cases.order_by("-last_entry_id")[: PAGE + 1])


def _moved(cases: CaseQuerySet, after: str) -> list[Case]:
    cases = cases.filter(shows_move=True, moved_at__isnull=False)
    if before := _pair(after):
        cases = cases.filter(Q(moved_at__lt=before[0]) | Q(moved_at=before[0], pk__lt=before[1]))
    return list(cases.order_by("-moved_at", "-pk")[: PAGE + 1])


def _soonest(cases: CaseQuerySet, after: str) -> list[Case]:
    cases = cases.filter(snoozed_until__isnull=False)
    if since := _pair(after):
        cases = cases.filter(Q(snoozed_until__gt=since[0]) | Q(snoozed_until=since[0], pk__gt=since[1]))
    return list(cases.order_by("snoozed_until", "pk")[: PAGE + 1])


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _key(sort: str, case: Case) -> str:
    match sort:
        case "longest" if case.waiting_since:
            return f"waiting.{_time(case.waiting_since)}-{case.pk}"
        case "longest":
            return f"rest.{case.last_entry_id}"
        case "moved" if case.moved_at:
            return f"{_time(case.moved_at)}-{case.pk}"
        case "soonest" if case.snoozed_until:
            return f"{_time(case.snoozed_until)}-{case.pk}"
    return str(case.last_entry_id)


def _time(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _pair(key: str) -> tuple[datetime, int] | None:
    time, _, pk = key.partition("-")
    if not (time.isdecimal() and pk.isdecimal() and len(time) < 18 and len(pk) < 19):
        return None
    return EPOCH + timedelta(microseconds=int(time)), int(pk)


def for_rows(cases: CaseQuerySet) -> CaseQuerySet:
    return cases.select_related("customer", "assignee").only(*SHOWN)


# How far an agent has read each case, and the newest unsent text.
OWN = """
SELECT c.id, coalesce(r.entry_id, 0), coalesce(d.text, '') FROM unnest(%(cases)s::bigint[]) c(id)
LEFT JOIN inbox_reading r ON r.case_id = c.id AND r.agent_id = %(agent)s
LEFT JOIN LATERAL (SELECT left(text, 200) AS text FROM inbox_draft
    WHERE case_id = c.id AND agent_id = %(agent)s AND text <> '' ORDER BY saved_at DESC LIMIT 1) d ON true
"""


def decorate(cases: list[Case], agent: Agent) -> None:
    """What a row shows beside its case: an address for want of a name, whether this agent has read it, unsent text."""
    if not cases:
        return
    prefetch_related_objects([case.customer for case in cases if not case.customer.name], "identities")
    with connection.cursor() as cursor:  # by hand: every list pays for it
        cursor.execute(OWN, {"cases": [case.pk for case in cases], "agent": agent.pk})
        own = {case: (read, draft) for case, read, draft in cursor.fetchall()}
    for case in cases:
        read, case.draft_text = own[case.pk]
        case.is_unread = case.is_live and case.waiting_since is not None and case.last_inbound_id > read
