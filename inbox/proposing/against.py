"""What speaks for two people being two."""

from __future__ import annotations

from collections.abc import Iterator

from customers.identities import INSTAGRAM
from inbox.proposing.moments import took_turns
from inbox.proposing.sides import Side
from inbox.proposing.verdict import Line, line


def against(one: Side, other: Side) -> Iterator[Line]:
    for source in sorted({*one.external} & {*other.external}):
        if not one.external[source] & other.external[source]:
            yield line("external", f"{source} knows them as two people", source)
    if other.pk in one.related or one.pk in other.related:
        yield line("related", f"{one.called} and {other.called} are noted as two people who know each other")
    if one.is_line or other.is_line or any(each.is_shared for each in (*one.addresses, *other.addresses)):
        yield line("shared", "More than one person writes from one of these addresses")
    accounts = [
        {(each.scope, each.value) for each in side.addresses if each.kind == INSTAGRAM} for side in (one, other)
    ]
    if {scope for scope, _ in accounts[0]} & {scope for scope, _ in accounts[1]}:
        yield line("two_accounts", "Two different Instagram accounts")
    if one.language and other.language and one.language.split("-")[0] != other.language.split("-")[0]:
        yield line("language", f"Different languages: {one.language} and {other.language}")
    if took_turns(one, other):
        yield line("at_once", "Both wrote at once, turn by turn")
