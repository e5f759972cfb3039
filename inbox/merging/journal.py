"""What a join writes down, so that it can be taken back exactly.

    Merge.before = {
        "person": {"name", …, "named_by_agent", "has_written"},     the survivor
        "person_then": {"name", …},                                 the same after the join
        "cases": {"<id>": {"status", "snoozed_until", "snoozed_by", "assignee", "assignee_then", "team_ids"}},
        "drafts": {"<id>": id of the case it lay in},
        "alerts": [ids of those closed],
        "hidden": {"<id>": [sensitive, named_ids]},     of both cases and all in them, when the join hid them
        "hidden_then": [sensitive, named_ids],
    }

Only the case that goes on is changed by a join. The one that is absorbed keeps its row as it was, behind a pointer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from inbox.models import Agent, Case

State = dict[str, Any]
FIELDS = ("name", "language", "time_zone", "prefers")  # of a person, which a join chooses from


MAY_NOT_JOIN = "You may not join people. A supervisor can allow it, or do it for you."
MAY_NOT_PART = "You may not tell people apart. A supervisor can allow it, or do it for you."
NOBODY_SEES_BOTH = "One of them has a sensitive case, and nobody can see both. Name the same person in both first."
IS_CLOSED = "One of them has a case that only named people see. One of those can do it."


class CannotJoin(Exception):
    """`reason` is a sentence for the agent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(CannotJoin):
    """They may ask somebody who is."""


def fields(customer: Customer) -> State:
    return {name: getattr(customer, name) for name in FIELDS}


def person(customer: Customer) -> State:
    return fields(customer) | {
        "named_by_agent": customer.named_by_agent,
        "has_written": customer.has_written,
    }


def state(case: Case) -> State:
    """`assignee_then` is who had it after the join: somebody else since then was chosen on purpose."""
    return {
        "status": case.status,
        "snoozed_until": case.snoozed_until.isoformat() if case.snoozed_until else None,
        "snoozed_by": case.snoozed_by_id,
        "assignee": case.assignee_id,
        "assignee_then": case.assignee_id,
        "team_ids": case.team_ids,
    }


def secrecy(*cases: Case) -> State:
    """{"<id>": [sensitive, named_ids]} of these cases and all in them."""
    rows = Case.objects.filter(pk__in=[pk for case in cases for pk in case.family()])
    return {str(pk): [why, named] for pk, why, named in rows.values_list("pk", "sensitive", "named_ids")}


def hide_together(before: State, older: Case, newer: Case) -> None:
    was = secrecy(older, newer)
    older.hide_with(newer)
    if older.sensitive:
        before["hidden"] = was | before.get("hidden", {})
        before["hidden_then"] = [older.sensitive, older.named_ids]


def hidden_then(before: State) -> State:
    """{"<id>": [sensitive, named_ids]}, which a join says once of all."""
    then = before["hidden_then"]
    return then if isinstance(then, dict) else dict.fromkeys(before["hidden"], then)


def put_back(case: Case, was: State) -> None:
    """Status and snooze, as they were."""
    case.status, case.snoozed_by_id = was["status"], was["snoozed_by"]
    case.snoozed_until = datetime.fromisoformat(was["snoozed_until"]) if was["snoozed_until"] else None


def repoint(customer: Customer, links: list[IdentityLink], by: Agent | None) -> None:
    """Gives the identities of these new links to the customer; what linked them before is revoked, and stays."""
    identities = [link.identity_id for link in links]
    Identity.objects.filter(pk__in=identities).update(customer=customer)
    IdentityLink.objects.filter(identity__in=identities, revoked_at=None).update(revoked_at=now(), revoked_by=by)
    IdentityLink.objects.bulk_create(links)


def forget(later: State, was: State, teams: set[int]) -> None:
    """A later join of the same case noted what an earlier one had brought: taken out when the earlier one is undone."""
    later["team_ids"] = [team for team in later["team_ids"] if team in was["team_ids"] or team not in teams]
    if later["assignee"] == was["assignee_then"]:
        later["assignee"] = was["assignee"]
