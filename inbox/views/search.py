"""Search by name, address, number or text, in what the agent may see."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from customers.models import Customer
from inbox.http import AgentRequest, signed_in
from inbox.models import Agent, Case, Entry, EntryKind
from inbox.views.inbox import decorate

MOST_PEOPLE, MOST_CASES, MOST_HITS = 8, 30, 200
AROUND = 60
WORDS = (EntryKind.MESSAGE, EntryKind.PARTICIPANT, EntryKind.REPLY, EntryKind.NOTE, EntryKind.FILED)


@dataclass(frozen=True)
class Hit:
    """A case and the words in it that were found."""

    case: Case
    entry: Entry | None
    excerpt: SafeString


@signed_in
@require_GET
def search(request: AgentRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    context = {"place": "search", "query": query, **(found(query, request.user) if query else {})}
    return render(request, "inbox/_search_results.html" if request.htmx else "inbox/search.html", context)


def found(query: str, agent: Agent) -> dict[str, object]:
    people = people_called(query, agent)
    hits = _by_number(query, agent) or _by_text(query, agent)
    decorate([hit.case for hit in hits], agent)
    return {"people": people, "hits": hits, "is_empty": not people and not hits}


def people_called(query: str, agent: Agent) -> list[Customer]:
    """By the start of a name's words, an address, a handle or the last digits of a number."""
    digits = re.sub(r"\D", "", query)
    matching = Q(name__istartswith=query) | Q(name__icontains=f" {query}")
    matching |= Q(identities__value__istartswith=query.lstrip("@")) | Q(
        identities__handle__istartswith=query.lstrip("@")
    )
    if len(digits) >= 4:
        matching |= Q(identities__kind="phone", identities__value__endswith=digits)
        matching |= Q(identities__kind="phone", identities__value__startswith=f"+{digits}")
    people = Customer.objects.current().filter(matching)
    if not agent.is_supervisor:
        people = people.filter(cases__in=Case.objects.visible_to(agent))
    return list(people.distinct().order_by("name", "pk").prefetch_related("identities")[:MOST_PEOPLE])


def _by_number(query: str, agent: Agent) -> list[Hit]:
    """'#1042' is a case."""
    if not re.fullmatch(r"#\d{1,15}", query):
        return []
    cases = Case.objects.visible_to(agent).filter(pk=int(query[1:])).select_related("customer", "assignee")
    return [Hit(case, None, mark_safe("")) for case in cases]


def _by_text(query: str, agent: Agent) -> list[Hit]:
    words = SearchQuery(query, config="simple", search_type="websearch")
    entries = Entry.objects.filter(search=words, kind__in=WORDS, case__isnull=False).order_by("-pk")
    newest: dict[int, Entry] = {}
    for entry in entries.only("pk", "case", "text", "subject", "author", "created_at", "channel", "kind")[:MOST_HITS]:
        newest.setdefault(entry.case_id or 0, entry)
    cases = Case.objects.visible_to(agent).filter(pk__in=newest).select_related("customer", "assignee")
    ordered = sorted(cases.prefetch_related("customer__identities"), key=lambda case: -newest[case.pk].pk)
    return [Hit(case, newest[case.pk], excerpt(newest[case.pk], query)) for case in ordered[:MOST_CASES]]


def excerpt(entry: Entry, query: str) -> SafeString:
    """The words around the first hit, marked."""
    text = " ".join(f"{entry.subject} {entry.text}".split())[:100_000]
    wanted = [re.escape(word) for word in re.findall(r"\w+", query)]
    pattern = re.compile(rf"\b({'|'.join(wanted)})\b", re.I) if wanted else None
    first = pattern.search(text) if pattern else None
    start = max(first.start() - AROUND, 0) if first else 0
    piece = escape(("…" if start else "") + text[start : start + 3 * AROUND])
    return mark_safe(pattern.sub(r"<mark>\1</mark>", piece) if pattern else piece)  # noqa: S308  escaped above
