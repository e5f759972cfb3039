"""Search by name, address, number or text, in what the agent may see."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from customers.models import Customer, Identity
from inbox.http import AgentRequest, signed_in
from inbox.models import Agent, Case, Entry, EntryKind
from inbox.models.cases import may_know
from inbox.views.inbox import SHOWN, decorate, for_rows

MOST_PEOPLE, MOST_CASES, MOST_HITS = 8, 30, 100
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
    """By the start of a name's words, an address, a handle or the last digits of a number.

    Names and addresses are asked for one after the other: an OR over both tables would be served by no index.
    """
    people = Customer.objects.current()
    if not agent.is_supervisor:
        people = people.filter(Exists(Case.objects.visible_to(agent).filter(customer=OuterRef("pk"))))
    people = people.order_by("name", "pk").prefetch_related("identities")
    called = people.filter(Q(name__istartswith=query) | Q(name__icontains=f" {query}"))
    reached = people.filter(Exists(_addresses(query).filter(customer=OuterRef("pk"))))
    found = {person.pk: person for person in [*called[:MOST_PEOPLE], *reached[:MOST_PEOPLE]]}
    return sorted(found.values(), key=lambda person: (person.name, person.pk))[:MOST_PEOPLE]


def _addresses(query: str) -> QuerySet[Identity]:
    digits, address = re.sub(r"\D", "", query), query.lstrip("@")
    matching = Q(value__istartswith=address) | Q(handle__istartswith=address) if address else Q(pk=None)
    if len(digits) >= 4:
        matching |= Q(kind="phone", value__iendswith=digits) | Q(kind="phone", value__istartswith=f"+{digits}")
    return Identity.objects.filter(matching)


def _by_number(query: str, agent: Agent) -> list[Hit]:
    """'#1042' is a case."""
    if not re.fullmatch(r"#\d{1,15}", query):
        return []
    cases = for_rows(Case.objects.visible_to(agent).filter(pk=int(query[1:])))
    return [Hit(case, None, mark_safe("")) for case in cases]


def _by_text(query: str, agent: Agent) -> list[Hit]:
    """The newest words of each case, newest first. A case that says them in every line takes one place."""
    words = SearchQuery(query, config="simple", search_type="websearch")
    entries = Entry.objects.filter(search=words, kind__in=WORDS, case__isnull=False).order_by("-pk")
    entries = entries.filter(may_know(agent, "case__"))
    if not agent.is_supervisor:
        entries = entries.filter(case__in=Case.objects.visible_to(agent))
    newest: dict[int, int] = {}
    older = entries
    while len(newest) < MOST_CASES:
        hits = list(older.values_list("case_id", "pk")[:MOST_HITS])
        for case, entry in hits:
            newest.setdefault(case, entry)
        if len(hits) < MOST_HITS:
            break
        older = entries.filter(pk__lt=hits[-1][1]).exclude(case__in=list(newest))
    found = Entry.objects.filter(pk__in=sorted(newest.values())[-MOST_CASES:]).order_by("-pk")
    shown = (f"case__{name}" for name in SHOWN)
    found = found.select_related("case__customer", "case__assignee").only(
        "subject", "text", "channel", "created_at", *shown
    )
    return [Hit(entry.case, entry, excerpt(entry, query)) for entry in found if entry.case]


def excerpt(entry: Entry, query: str) -> SafeString:
    """The words around the first hit, marked."""
    text = " ".join(f"{entry.subject} {entry.text}".split())[:100_000]
    wanted = [re.escape(word) for word in re.findall(r"\w+", query)]
    pattern = re.compile(rf"\b({'|'.join(wanted)})\b", re.I) if wanted else None
    first = pattern.search(text) if pattern else None
    start = max(first.start() - AROUND, 0) if first else 0
    piece = escape(("…" if start else "") + text[start : start + 3 * AROUND])
    return mark_safe(pattern.sub(r"<mark>\1</mark>", piece) if pattern else piece)  # noqa: S308  escaped above
