"""By what the words of a message let somebody be known again. Pure: text in, traces out.

An address in a text may be the writer's own, stand in their signature, or be somebody else's: `manner` says which, as
far as the sentence around it tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from customers.identities import EMAIL, INSTAGRAM, PHONE, WHATSAPP, NotAnAddress, found_in, normalise
from inbox.models.fact import order_numbers
from inbox.models.trace import TraceKind
from inbox.proposing import names
from inbox.proposing.known import GIVEN_NAMES
from inbox.proposing.phrases import (
    COMPANY,
    ELSEWHERE,
    HANDLE,
    MINE,
    NAME_HERE,
    NO_NAME,
    NO_PERSON,
    SAYS_NAME,
    SENTENCE_END,
    SIGN_OFF,
    SOMEBODY_ELSE,
    THEIR_MATTER,
)

OWN, SIGNED, OTHERS, TOLD = "own", "signed", "others", "told"
SAME = "same"  # a number in another form than it is stored in
RANK = {OTHERS: 3, OWN: 2, SIGNED: 1, "": 0}
MOST_TEXT = 20_000
LONG_TEXT = 100  # characters; shorter words are anybody's
SIGNATURE_LINES = 6
SHORTEST_HANDLE, SHORTEST_SOUND = 4, 4
IGNORES_DOTS = {"gmail.com", "googlemail.com"}


@dataclass(frozen=True, slots=True)
class Found:
    kind: str
    value: str
    manner: str = ""


def told_in(subject: str, text: str, channel: str) -> list[Found]:
    """Of one message: `text` without what it quotes."""
    text = text[:MOST_TEXT]
    body, signature = split_signature(text)
    found = [*_in_sentences(subject, body), *_in_signature(signature)]
    for name in sorted(_own_names(body, signature)):
        found += [Found(TraceKind.SELF, name), *(Found(TraceKind.NAME, key) for key in sorted(names.keys(name)))]
    elsewhere = (each for each, said in ELSEWHERE.items() if each != channel and said.search(body))
    found += [Found(TraceKind.ELSEWHERE, each) for each in elsewhere]
    words = " ".join(names.folded(text).split())
    if len(words) >= LONG_TEXT:
        found.append(Found(TraceKind.WORDS, hashlib.sha256(words.encode()).hexdigest()))
    return _once(found)


def of_address(kind: str, value: str, handle: str, name: str) -> list[Found]:
    """What an address and a name alone tell."""
    found = [Found(TraceKind.NAME, key) for key in names.keys(name)]
    found += [Found(TraceKind.HANDLE, key) for key in names.joined(name)]
    words = names.words_of(name)
    if len(words) > 1:
        found.append(Found(TraceKind.SOUND, names.sound(words[0] + words[-1])))
    if kind == EMAIL:
        local = value.partition("@")[0].partition("+")[0]
        found += [Found(TraceKind.MAILBOX, mailbox(value)), *_handles(local)]
    if kind == INSTAGRAM:
        found += _handles(handle or ("" if " " in name.strip() else name))
    return _once(found)


def mailbox(address: str) -> str:
    """Where an address arrives, whoever keeps it: +tags are dropped, and dots where the provider drops them."""
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0]
    if domain in IGNORES_DOTS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def todays_form(kind: str, value: str) -> str:
    """Of a number that may have been stored before the rules of its country were known; empty for what is none."""
    try:
        return normalise(kind, value) if kind in (PHONE, WHATSAPP) else ""
    except NotAnAddress:
        return ""


def _handles(handle: str) -> Iterator[Found]:
    key = names.handle_key(handle)
    if len(key) < SHORTEST_HANDLE or key in NO_PERSON.split() or key.isdigit():
        return
    yield Found(TraceKind.HANDLE, names.plain(handle))
    if key in GIVEN_NAMES:
        return
    yield Found(TraceKind.HANDLE, key)
    heard = names.sound(key)
    if len(heard) >= SHORTEST_SOUND:
        yield Found(TraceKind.SOUND, heard)


def split_signature(text: str) -> tuple[str, list[str]]:
    """The words, and the lines after the sign-off: at most six short ones at the end."""
    lines = [line.strip() for line in text.strip().splitlines()]
    for place in range(max(1, len(lines) - SIGNATURE_LINES), len(lines)):
        if _is_a_sign_off(lines[place]) and all(len(each) <= 70 for each in lines[place:]):
            return "\n".join(lines[:place]), [SIGN_OFF.sub("", each).strip(" -—,") for each in lines[place:]]
    apart = max((place for place, line in enumerate(lines) if not line), default=0) + 1
    for place in sorted({apart, len(lines) - 1} - {0}):
        if len(lines) - SIGNATURE_LINES <= place < len(lines) and _looks_like_a_name(lines[place]):
            return "\n".join(lines[:place]), lines[place:]
    return text, []


def _is_a_sign_off(line: str) -> bool:
    return line.startswith(("--", "—", "- ")) or (len(line) < 40 and SIGN_OFF.match(line) is not None)


def _looks_like_a_name(line: str) -> bool:
    words = names.words_of(line.strip(" .,!-—"))
    is_short = 0 < len(words) <= 3 and len(line) <= 40 and line[:1].isupper()
    return is_short and not line.endswith(("?", "!", ":")) and not COMPANY.search(line)


def _in_sentences(subject: str, body: str) -> Iterator[Found]:
    for sentence in SENTENCE_END.split(body):
        manner = OTHERS if SOMEBODY_ELSE.search(sentence) else OWN if MINE.search(sentence) else ""
        yield from _addresses(sentence, manner)
    of_others = OTHERS if THEIR_MATTER.search(body) else ""
    yield from (Found(TraceKind.ORDER, each, of_others) for each in order_numbers(f"{subject}\n{body}"))


def _in_signature(lines: list[str]) -> Iterator[Found]:
    for line in lines:
        yield from _addresses(line, SIGNED)
        yield from (Found(TraceKind.ORDER, each) for each in order_numbers(line))


def _addresses(text: str, manner: str) -> Iterator[Found]:
    for kind, value in sorted(found_in(text, settings.DEFAULT_REGION)):
        yield Found(TraceKind.EMAIL if kind == EMAIL else TraceKind.PHONE, value, manner)
    for handle in HANDLE.findall(text):
        yield Found(TraceKind.HANDLE, names.plain(handle), manner or TOLD)


def _own_names(body: str, signature: list[str]) -> set[str]:
    """What somebody calls themselves: a given name, or all of it."""
    found: set[str] = set()
    for match in [*SAYS_NAME.finditer(body), *NAME_HERE.finditer(body)]:
        words = names.words_of(" ".join(each for each in match.groups() if each))
        if words and words[0] not in NO_NAME.split() and (match[1][0].isupper() or words[0] in GIVEN_NAMES):
            found.add(" ".join(words))
    signed = next((line for line in signature if _looks_like_a_name(line)), "")
    return found | ({" ".join(names.words_of(signed))} if signed else set())


def _once(found: Iterable[Found]) -> list[Found]:
    """One per value. That it is somebody else's outweighs all; then "my" beside it, then a signature."""
    best: dict[tuple[str, str], Found] = {}
    for each in found:
        known = best.get((each.kind, each.value))
        if each.value and (known is None or RANK.get(each.manner, 0) > RANK.get(known.manner, 0)):
            best[each.kind, each.value] = each
    return list(best.values())
