"""They are different people after all: each gets back what was theirs, and what came later goes home by its identity.

It works at any time, also after later traffic and inside other joins. What was whose before is in the journal of the
join; whose a later thing is follows from the identities, which belong to the right people first.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.timezone import now

from customers.models import Customer, Identity, IdentityLink
from customers.models.link import LinkReason
from inbox.locking import ATTEMPTS
from inbox.merging import fields, journal
from inbox.merging.fields import Side
from inbox.merging.homes import Homes
from inbox.merging.journal import CannotJoin, NotAllowed
from inbox.merging.restoring import Restoring
from inbox.models import Agent, Entry, EntryKind, Merge


def undo(merge: Merge, *, by: Agent, whose: Mapping[str, Side] | None = None) -> None:
    """`whose`: of the fields that were edited since (`edited_since`), to whom the new value belongs; else it stays.

    Raises CannotJoin when it was undone before.
    """
    if not by.is_allowed_to_part:
        raise NotAllowed(journal.MAY_NOT_PART)
    for _ in range(ATTEMPTS):
        today = Customer.objects.get(pk=merge.survivor_id).current().pk
        with transaction.atomic():
            Customer.objects.locked(
                [today, merge.survivor_id, merge.absorbed_id]
            )  # the survivor may be somebody else today
            fresh = Merge.objects.select_related("survivor", "absorbed").get(pk=merge.pk)
            if fresh.undone_at:
                raise CannotJoin("This was undone before.")
            stays = fresh.survivor.current()
            if stays.pk != today:
                continue
            _part(fresh, stays, fresh.absorbed, by, whose or {})
            return
    raise CannotJoin("Somebody else is changing these people right now. Look again.")


def _part(merge: Merge, stays: Customer, leaves: Customer, by: Agent, whose: Mapping[str, Side]) -> None:
    homes = Homes(merge, stays, leaves)
    _give_addresses_back(merge, stays, leaves, by)
    _part_people(merge, stays, leaves, whose)
    merge.undone_at, merge.undone_by = now(), by
    merge.save(update_fields=["undone_at", "undone_by"])
    homes.bring_back()
    homes.tell_cases_apart()
    homes.send_entries()
    _correct_outer_journals(merge, stays, homes)
    Restoring(merge, homes).restore(by)


def _give_addresses_back(merge: Merge, stays: Customer, leaves: Customer, by: Agent) -> None:
    """Those that the absorbed person had and did not lose to an inner join that was taken back since."""
    theirs = Identity.objects.filter(pk__in=merge.identities, customer=stays).order_by("pk")
    journal.repoint(leaves, [link_as_before(identity, leaves) for identity in theirs], by)


def link_as_before(identity: Identity, customer: Customer) -> IdentityLink:
    """The same reason holds again, in a new row: links are revoked, never rewritten."""
    before = identity.links.filter(customer=customer).order_by("-pk").first()
    link = before or IdentityLink(reason=LinkReason.FIRST_SEEN, words="")
    link.pk, link.revoked_at, link.revoked_by = None, None, None
    link.identity, link.customer = identity, customer
    return link


def _part_people(merge: Merge, stays: Customer, leaves: Customer, whose: Mapping[str, Side]) -> None:
    leaves.merged_into = None
    leaves.has_written = leaves.has_written or _has_written(leaves)
    was, survivor = merge.before.get("person"), merge.survivor
    if was:
        had = survivor.name
        fields.part(merge, survivor, leaves, whose)
        survivor.has_written = was["has_written"] or _has_written(stays)
        survivor.save(update_fields=["named_by_agent", "has_written", *journal.FIELDS])
        if survivor.name != had:
            _name_authors(merge, survivor)
    leaves.save(update_fields=["merged_into", "has_written", "named_by_agent", *journal.FIELDS])
    _name_authors(merge, leaves)


def _name_authors(merge: Merge, person: Customer) -> None:
    """What they wrote meanwhile says the name that both had."""
    written = Entry.objects.filter(kind=EntryKind.MESSAGE, pk__gt=merge.newest_entry, erased_at=None)
    if person.name:
        written.filter(identity__customer=person).update(author=person.name)
        return
    for identity in person.identities.all():
        written.filter(identity=identity).update(author=identity.shown[:200])


def _has_written(customer: Customer) -> bool:
    return Entry.objects.filter(identity__customer=customer, kind=EntryKind.MESSAGE).exists()


def _correct_outer_journals(merge: Merge, stays: Customer, homes: Homes) -> None:
    """What leaves now is no share of the joins around this one any more: undoing those must not bring it anywhere."""
    addresses, cases = {*merge.identities}, homes.cases_of(homes.leaves)
    for outer in Merge.objects.in_force().filter(survivor__in=stays.family()):
        outer.identities = [pk for pk in outer.identities if pk not in addresses]
        outer.cases = [pk for pk in outer.cases if pk not in cases]
        fields.correct(outer, merge)
        kept = outer.before.get("cases", {})
        outer.before["cases"] = dict(_correct(int(pk), was, merge, outer, homes) for pk, was in kept.items())
        outer.save(update_fields=["identities", "cases", "before"])


def _correct(pk: int, was: journal.State, merge: Merge, outer: Merge, homes: Homes) -> tuple[str, journal.State]:
    """What the outer join noted of the case that went on; of the one that goes on instead, when that one leaves."""
    instead = homes.part.get((homes.stays.pk, homes.old_root.get(pk, pk)))
    if homes.owner.get(pk) == homes.leaves.pk and instead:
        return str(instead), journal.state(homes.cases[instead])
    earlier = merge.before.get("cases", {}).get(str(pk))
    if earlier and outer.pk > merge.pk:
        brought = {team for each in homes.cases_of(homes.leaves) for team in homes.cases[each].team_ids}
        journal.forget(was, earlier, brought)
    return str(pk), was
