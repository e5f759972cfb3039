"""Cases that only named people see. Every change of who that is stands in the audit."""

from __future__ import annotations

from inbox.locking import locked
from inbox.models import Act, Agent, Audit, Case, Entry


def hide(case: Case, why: str, named: list[int], *, by: Agent) -> None:
    """`why`: a kind of `Sensitive`, or empty when it is nothing of the kind any more."""
    with locked(case) as case:
        if not why and not case.sensitive:
            return
        case.hide(why, named)
        words = f"made it sensitive: {case.get_sensitive_display().lower()}" if why else "said that it is not sensitive"
        case.record(Entry.event_of("sensitive", words, by=by))
        found = {"named": len(case.named_ids or [])}
        Audit.objects.note(Act.SENSITIVE, by=by, why=why or "not sensitive", case=case.pk, found=found)


def name(case: Case, agent: Agent, *, by: Agent, why: str) -> None:
    """An admin lets themselves in, or somebody else."""
    with locked(case) as case:
        if case.named_ids is None or agent.pk in case.named_ids:
            return
        case.hide(case.sensitive, [*case.named_ids, agent.pk])
        words = "named themselves, and sees it now" if agent == by else f"named {agent.short_name}, who sees it now"
        case.record(Entry.event_of("sensitive", words, by=by))
        whom, found = "themselves" if agent == by else agent.name, {"named": len(case.named_ids)}
        Audit.objects.note(Act.SENSITIVE, by=by, why=f"named {whom}: {why}", case=case.pk, found=found)
