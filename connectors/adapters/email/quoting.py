"""Where a plain-text reply ends and the repeated earlier mail begins (reference/email.md §5).

Nothing is deleted: the two halves together are the text. A text is never folded to nothing, an answer written
between the quoted lines stays whole, and a forward is not a quote.
"""

from __future__ import annotations

import re

import quotequail

MAX_LINES = 1000  # quotes are looked for in these; a longer mail is folded only if its quote begins here
MAX_LINE = 500
MAX_FALSE_STARTS = 20

MARKER = "##- Please type your reply above this line -##"

_FORWARD_SUBJECT = re.compile(r"\s*(?:fwd?|wg|tr|rv|i|enc|doorst|vs|vb)\s*:", re.IGNORECASE)
_REPLY_SUBJECT = re.compile(
    r"\s*(?:re|aw|antw|sv|ref|rif|r|odp|vs|ynt|回复|答复|回覆|返信)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
_FORWARD_LINE = re.compile(
    r"[\s>*-]*(?:begin )?(?:forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten|message transféré"
    r"|début du message réexpédié|mensaje reenviado|inicio del mensaje reenviado|messaggio inoltrato"
    r"|doorgestuurd bericht|begin doorgestuurd bericht|vidarebefordrat meddelande|пересылаемое сообщение|转发)",
    re.IGNORECASE,
)
_DASHED = re.compile(
    r"[\s*>]*[-‐–—_]{2,}\s*(?:original message|original-nachricht|ursprüngliche nachricht|antwort nachricht"
    r"|oprindelig meddelelse|ursprungligt meddelande|message d'origine|mensaje original|mensagem original"
    r"|messaggio originale|oorspronkelijk bericht|исходное сообщение|原始邮件|original|αρχικό μήνυμα"
    r"|reply above this line)\s*[-‐–—_]{2,}",
    re.IGNORECASE,
)
_UNDERSCORES = re.compile(r"\s*_{10,}\s*")
_FROM = "from|von|de|da|van|fra|från|od|от|от кого|差出人|发件人|寄件者|보낸 사람"
_SENT = (
    "sent|date|gesendet|datum|envoyé|enviado|enviado el|fecha|inviato|data|verzonden|sendt|dato|skickat|wysłano"
    "|отправлено|дата|送信日時|发送时间|보낸 날짜"
)
_TO = "to|an|à|para|a|aan|til|till|do|кому|宛先|收件人|받는 사람|cc|kopie|kopia|subject|betreff|objet|asunto"
_TITLE = "oggetto|onderwerp|emne|ämne|temat|тема|件名|主题|제목"
_HEADER_FROM = re.compile(rf"[\s*]*(?:{_FROM})\*?\s?[:：]\*?\s", re.IGNORECASE)
_HEADER_MORE = re.compile(rf"[\s*]*(?:{_SENT}|{_TO}|{_TITLE})\*?\s?[:：]\*?", re.IGNORECASE)
_HEADER_SUBJECT = re.compile(rf"[\s*]*(?:subject|betreff|objet|asunto|{_TITLE})\*?\s?[:：]\*?", re.IGNORECASE)
_WROTE_ABOUT = re.compile(r"[\w.+-]@[\w-]|\b(?:19|20)\d\d\b|\d{1,2}[:.h]\d\d|\d{1,2}[./-]\d{1,2}[./-]\d|\d{4}年")
# Blanks of several kinds, and the marks that right-to-left letters bring along
_PLAIN = {0xA0: " ", 0x202F: " ", **dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))}
_SIGNATURE = re.compile(r"\s*--\s?")


def is_reply(subject: str, *, threaded: bool) -> bool:
    """Only an answer has something to fold: it cites earlier mail or says `Re:`, and is no forward."""
    return not _FORWARD_SUBJECT.match(subject) and (threaded or _REPLY_SUBJECT.match(subject) is not None)


def is_forward(subject: str) -> bool:
    return _FORWARD_SUBJECT.match(subject) is not None


def fold(text: str) -> tuple[str, str]:
    """(what was written, what is repeated). The second is '' when there is nothing to fold or any doubt."""
    lines = text.split("\n")
    plain = [line[:MAX_LINE].translate(_PLAIN) for line in lines[:MAX_LINES]]
    cuts = [cut for cut in _cuts(plain, whole=len(lines) <= MAX_LINES) if cut is not None]
    for cut in sorted(cuts):
        above = "\n".join(lines[:cut]).rstrip()
        if above.strip() and not _is_forward(plain, cut):
            return above, "\n".join(lines[cut:]).strip("\n")
    return text, ""


def _cuts(lines: list[str], *, whole: bool) -> list[int | None]:
    return [
        next((n for n, line in enumerate(lines) if MARKER in line), None),
        next((n for n, line in enumerate(lines) if _DASHED.match(line)), None),
        header_block(lines),
        _attribution(lines),
        _trailing_quote(lines) if whole else None,
    ]


def _is_forward(lines: list[str], cut: int) -> bool:
    return any(_FORWARD_LINE.match(line) for line in lines[max(0, cut - 2) : cut + 2])


def names_sender(line: str) -> bool:
    return _HEADER_FROM.match(line) is not None


def names_subject(line: str) -> bool:
    return _HEADER_SUBJECT.match(line) is not None


def is_rule(line: str) -> bool:
    """A line that only says that something else begins below it."""
    return bool(_FORWARD_LINE.match(line) or _DASHED.match(line) or _UNDERSCORES.fullmatch(line))


def header_block(lines: list[str]) -> int | None:
    """Outlook's `From: / Sent: / To: / Subject:`, at least three lines, with the rule above it if there is one."""
    for n, line in enumerate(lines):
        if _HEADER_FROM.match(line) and sum(bool(_HEADER_MORE.match(near)) for near in lines[n + 1 : n + 6]) >= 2:
            above = n - 1
            while above >= 0 and not lines[above].strip():
                above -= 1
            return above if above >= 0 and _UNDERSCORES.fullmatch(lines[above]) else n
    return None


def _attribution(lines: list[str]) -> int | None:
    """`On … wrote:` as quotequail knows it, if it names a time or an address and the rest is not interleaved."""
    start = 0
    for _ in range(MAX_FALSE_STARTS):
        parts = quotequail.quote("\n".join(lines[start:]), limit=MAX_LINES + 1, quote_intro_line=True)
        if len(parts) < 2:
            return None
        cut: int = len(lines) - parts[1][1].count("\n") - 1
        names_when_or_who = _WROTE_ABOUT.search(" ".join(lines[cut : cut + 2]))
        if names_when_or_who and not lines[cut].startswith(">") and not _is_interleaved(lines[cut + 1 :]):
            return cut
        start = cut + 1
        if start >= len(lines):
            return None
    return None


def _is_interleaved(below: list[str]) -> bool:
    """Own words after quoted lines. Without any `>` everything below is the quote."""
    quoted = [n for n, line in enumerate(below) if line.lstrip().startswith(">")]
    if not quoted:
        return False
    for line in below[quoted[0] :]:
        if _SIGNATURE.fullmatch(line):
            return False
        if line.strip() and not line.lstrip().startswith(">"):
            return True
    return False


def _trailing_quote(lines: list[str]) -> int | None:
    """In any language: a mail that ends in `>` lines, and above them a short paragraph that ends in a colon."""
    last = len(lines)
    while last and not lines[last - 1].strip():
        last -= 1
    first = last
    while first and (lines[first - 1].startswith(">") or not lines[first - 1].strip()):
        first -= 1
    if not any(line.startswith(">") for line in lines[first:last]):
        return None
    while not lines[first].strip():
        first += 1
    end = first
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and lines[begin - 1].strip() and not lines[begin - 1].startswith(">") and end - begin < 3:
        begin -= 1
    intro = " ".join(lines[begin:end]).strip()
    if intro.endswith((":", "：")) and _WROTE_ABOUT.search(intro):
        while begin < end - 1 and not _WROTE_ABOUT.search(lines[begin]):
            begin += 1  # the customer's own last line, without a blank line before the attribution
        return begin
    return first if not any(line.startswith(">") for line in lines[:first]) else None
