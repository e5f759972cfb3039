"""Person, automatic, bulk, spam or bounce, with the reason in words (reference/email.md §6)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.adapters.email.headers import Headers
from connectors.messages import Classification

_NO_REPLY = re.compile(
    r"(?:.*[._+-])?(?:no-?_?reply|do-?not-?reply|ne-?pas-?repondre|nicht-?antworten|notifications?|mailer)"
    r"(?:[._+-].*)?|bounces?(?:[._+-].*)?|owner-.*|.*-owner|.*-request",
    re.IGNORECASE,
)
_POSTMASTER = re.compile(r"mailer-daemon|postmaster|mail-daemon", re.IGNORECASE)
_UNDELIVERED = re.compile(
    r"undeliver|delivery (?:status notification|failure)|failure notice|returned mail|mail delivery (?:failed|system)"
    r"|unzustellbar|nicht zugestellt|non remis|no se puede entregar|nie można dostarczyć",
    re.IGNORECASE,
)
_AUTO_REPLY = (
    r"automatic reply|auto(?:matic)?[ -]?response|auto-?reply|out of office auto-?reply|automatische antwort"
    r"|abwesenheitsnotiz|réponse automatique|respuesta automática|risposta automatica|resposta automática"
    r"|automatisch antwoord|autosvar|automaattinen vastaus|autoodpowiedź|odpowiedź automatyczna"
    r"|自動応答|自动答复|自動回覆"
)
_AWAY = re.compile(
    rf"\s*(?:{_AUTO_REPLY}|out of (?:the )?office|abwesenheit|abwesend|absence du bureau)", re.IGNORECASE
)
# Before what it answers, as Exchange puts it. People write `Re:` there, and of being away in words of their own.
_PREFIX = re.compile(rf"\s*(?:{_AUTO_REPLY})\s*[:：]", re.IGNORECASE)
_AUTOMATIC_HEADERS = ("x-autoreply", "x-autorespond", "x-autoreply-from", "x-mail-autoreply", "x-vacation")
_LIST_HEADERS = ("list-id", "list-post", "list-unsubscribe", "list-help")
_SUPPRESSED = re.compile(r"\b(?:all|oof|autoreply)\b", re.IGNORECASE)

UNDELIVERED = "A mail server says something could not be delivered"

Verdict = tuple[Classification, str]


def classify(headers: Headers, sender: str, subject: str, ours: Sequence[str], *, answers_us: bool = False) -> Verdict:
    """`ours`: the addresses of this mailbox; a mailing list that is one of them is just how mail reaches us.
    `answers_us`: it cites a mail of ours."""
    return (
        _spam(headers)
        or _bounce(headers, sender, subject)
        or _automatic(headers, subject, answers_us=answers_us)
        or _bulk(headers, ours)
        or _by_sender(headers, sender, ours)
        or (Classification.PERSON, "")
    )


def _spam(headers: Headers) -> Verdict | None:
    flagged = headers.word("x-spam-flag") == "yes" or headers.word("x-spam-status").startswith("yes")
    return (Classification.SPAM, "The mail server marked it as spam") if flagged else None


def _bounce(headers: Headers, sender: str, subject: str) -> Verdict | None:
    local = sender.rpartition("@")[0]
    if _POSTMASTER.fullmatch(local) and (_empty_return_path(headers) or _UNDELIVERED.search(subject)):
        return Classification.BOUNCE, UNDELIVERED
    return None


def is_from_a_mail_server(headers: Headers, sender: str) -> bool:
    """By its address, or because nobody wants to hear what becomes of it (RFC 5321 §4.5.5)."""
    return _POSTMASTER.fullmatch(sender.rpartition("@")[0]) is not None or _empty_return_path(headers)


def sounds_automatic(subject: str) -> bool:
    """Reason enough to answer with no automatic word, but not to file anything: people are away, and say so."""
    return _AWAY.match(subject) is not None


def auto_reply(headers: Headers, subject: str, *, answers_us: bool = False) -> str:
    """Why this was sent by a program in somebody's stead, in words; empty when it was not. Whose address it bears may
    well be a person's."""
    if headers.word("auto-submitted").startswith("auto-replied"):
        return "Sent by a program (Auto-Submitted: auto-replied)"
    if sounds_automatic(subject) and _is_by_a_program(headers):
        return "An automatic reply, by its subject and headers"
    if answers_us and _PREFIX.match(subject):
        return "An automatic reply to a mail of ours, by its subject"
    for name in _AUTOMATIC_HEADERS:
        if name in headers and headers.word(name) not in ("no", "false"):
            return f"An automatic reply ({name.title()})"
    if headers.word("precedence") in ("auto_reply", "auto-reply"):
        return "An automatic reply (Precedence)"
    return ""


def _is_by_a_program(headers: Headers) -> bool:
    """Anything that mail programs of people do not write."""
    return (
        headers.word("auto-submitted") not in ("", "no")
        or any(headers.word(name) in ("bulk", "junk") for name in ("precedence", "x-precedence"))
        or headers.word("x-auto-response-suppress") not in ("", "none")
        or _empty_return_path(headers)
    )


def _automatic(headers: Headers, subject: str, *, answers_us: bool) -> Verdict | None:
    reason = auto_reply(headers, subject, answers_us=answers_us)
    if reason:
        return Classification.AUTOMATIC, reason
    submitted = headers.word("auto-submitted")
    if submitted not in ("", "no"):
        return Classification.AUTOMATIC, f"Sent by a program (Auto-Submitted: {submitted[:40]})"
    if _SUPPRESSED.search(headers.raw("x-auto-response-suppress")):
        return Classification.AUTOMATIC, "Sent by a program that wants no automatic reply"
    if headers.word("x-loop") in ("yes", "true"):
        return Classification.AUTOMATIC, "Sent by a program (X-Loop)"
    return None


def _bulk(headers: Headers, ours: Sequence[str]) -> Verdict | None:
    if _is_our_list(headers, ours):
        return None
    for name in ("precedence", "x-precedence"):
        if headers.word(name) in ("bulk", "junk", "list"):
            return Classification.BULK, f"Sent to many (Precedence: {headers.word(name)})"
    for name in _LIST_HEADERS:
        if name in headers:
            return Classification.BULK, f"A newsletter or mailing list ({name.title()})"
    return None


def _by_sender(headers: Headers, sender: str, ours: Sequence[str]) -> Verdict | None:
    local = sender.rpartition("@")[0]
    if sender.lower() in {address.lower() for address in ours}:
        return Classification.AUTOMATIC, "Sent from our own address"
    if _POSTMASTER.fullmatch(local):
        return Classification.AUTOMATIC, "Sent by a mail server"
    if _NO_REPLY.fullmatch(local):
        return Classification.AUTOMATIC, f"Sent from an address nobody reads ({local[:40]}@)"
    if _empty_return_path(headers):
        return Classification.AUTOMATIC, "Sent by a program (empty Return-Path)"
    return None


def _empty_return_path(headers: Headers) -> bool:
    return "return-path" in headers and headers.raw("return-path").replace(" ", "") in ("<>", "")


def _is_our_list(headers: Headers, ours: Sequence[str]) -> bool:
    """support@ kept as a mailing list (a Google group): its List-Id is `support.example.com`."""
    named = f"{headers.raw('list-id')} {headers.raw('list-post')}".lower()
    return any(address and (address in named or address.replace("@", ".") in named) for address in map(str.lower, ours))
