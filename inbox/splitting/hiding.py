"""What comes out of a sensitive case is as hidden where it goes; and what was hidden only for that is not, once it went
back. What somebody decided of either case meanwhile holds."""

from __future__ import annotations

from collections.abc import Collection

from inbox.merging.journal import IS_CLOSED, hidden_then, secrecy
from inbox.models import Agent, Case, Entry, EntryKind, Regrouping
from inbox.splitting.journal import CannotSplit

OURS = (EntryKind.NOTE, EntryKind.REPLY)
NOTHING = ["", None]


def refuse_closed(by: Agent, *cases: Case) -> None:
    if any(case.is_closed_to(by) for case in cases):
        raise CannotSplit(IS_CLOSED)


def hide_like(case: Case, other: Case) -> None:
    """What lies in `other` will be read in `case`: by those who are named in both."""
    named = case.named_with(other)
    if other.named_ids is None or named is None:
        return
    if not named:
        raise CannotSplit(IS_CLOSED)
    if case.named_ids != named:
        case.hide(case.sensitive or other.sensitive, named)


def hide_before_going_back(regrouping: Regrouping, left: Case, came: Case) -> None:
    """Raises CannotSplit where it would be seen by people to whom nobody has shown it."""
    if came.named_ids is None or left.pk == came.pk:
        return
    was_hidden = regrouping.before.get("hidden", {}).get(str(left.pk), NOTHING) != NOTHING
    if was_hidden and left.named_ids is None:
        raise CannotSplit(
            f"#{came.pk} is sensitive and #{left.pk} is not any more. Say of both that they are, or of neither."
        )
    if "hidden_then" not in regrouping.before or _was_decided_since(regrouping, came):
        hide_like(left, came)


def show_again(regrouping: Regrouping, case: Case, words: Collection[int]) -> bool:
    """False when it stays hidden, for something was said there meanwhile that may tell of `words`."""
    was = regrouping.before.get("hidden", {}).get(str(case.pk))
    if was is None or [case.sensitive, case.named_ids] == was or _was_decided_since(regrouping, case):
        return True
    if _tells_of(words, case, regrouping):
        return False
    case.sensitive, case.named_ids = was
    Case.objects.filter(pk__in=case.family()).update(sensitive=case.sensitive, named_ids=case.named_ids)
    state = regrouping.before["states"].get(str(case.pk))
    if state and case.assignee_id == state["assignee_then"]:
        case.assignee_id = state["assignee"]
    return True


def _was_decided_since(regrouping: Regrouping, case: Case) -> bool:
    then = hidden_then(regrouping.before)
    return any(then.get(pk) != now for pk, now in secrecy(case).items())


def _tells_of(words: Collection[int], case: Case, regrouping: Regrouping) -> bool:
    """What we wrote there may, and whatever cites it."""
    since = case.timeline().filter(created_at__gt=regrouping.at).exclude(pk__in=words)
    if since.filter(kind__in=OURS).exists():
        return True
    cited = {*Entry.objects.filter(pk__in=words).exclude(message_id="").values_list("message_id", flat=True)}
    return any(
        not cited.isdisjoint([*headers.get("references", []), *headers.get("in_reply_to", [])])
        for headers in since.exclude(headers={}).values_list("headers", flat=True)
    )
