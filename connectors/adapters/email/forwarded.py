"""The mail inside a mail that somebody passed on: whose it was and what it said (reference/email.md §7).

Only what is plain to see: one header block with one sender. Whether to believe it is not decided here.
"""

from __future__ import annotations

from connectors.adapters.email import addresses, body, quoting
from connectors.adapters.email.characters import one_line
from connectors.adapters.email.piece import Piece, TooHostile
from connectors.messages import Original, Sender

NEAR = 8  # lines a header block may have


def original(root: Piece, text: str, subject: str) -> Original | None:
    """The enclosed mail if exactly one is enclosed, else the one written into the text; None without a clear one."""
    if not quoting.is_forward(subject):
        return None
    enclosed = [piece for piece in root.leaves() if piece.kind == "message/rfc822"]
    return _enclosed(enclosed[0], text) if len(enclosed) == 1 else _inline(text)


def _enclosed(piece: Piece, note: str) -> Original | None:
    try:
        inner = Piece.parse(piece.content)
    except TooHostile:
        return None
    author = addresses.author(inner.headers)
    if author is None or author.doubt:
        return None
    found = body.read(inner, is_reply=False)
    return Original(author.sender, found.text, inner.headers.text("subject"), note.strip())


def _inline(text: str) -> Original | None:
    lines = text.split("\n")
    start = quoting.header_block(lines)
    if start is None:
        return None
    first = next(n for n in range(start, len(lines)) if quoting.names_sender(lines[n]))
    end = next((n for n in range(first, min(first + NEAR, len(lines))) if not lines[n].strip()), None)
    if end is None:
        return None
    sender = _only_sender(_value(lines[first]))
    said = "\n".join(lines[end:]).strip()
    if sender is None or not said:
        return None
    subject = next((_value(line) for line in lines[first:end] if quoting.names_subject(line)), "")
    note = [line for line in lines[:first] if not quoting.is_rule(line)]
    return Original(sender, said, one_line(subject), "\n".join(note).strip())


def _only_sender(value: str) -> Sender | None:
    """`Maya Ortiz <maya@ortiz.example>`, `[mailto:…]` and all; nobody when there are two."""
    found = addresses.mailboxes(value.replace("[mailto:", "<").replace("]", ">").replace("*", ""))
    return found[0] if len({each.address.lower() for each in found}) == 1 else None


def _value(line: str) -> str:
    return line.replace("：", ":").partition(":")[2].strip(" *")
