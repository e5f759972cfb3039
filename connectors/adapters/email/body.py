"""What a mail says and carries: text, HTML and files out of any arrangement of parts (reference/email.md §2, §7).

Own walker: the standard library's `get_body` and `iter_attachments` lose root attachments, invitations and
everything after the first text of an Apple mail.
"""

from __future__ import annotations

import html as markup
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.adapters.email import charset, filename, flowed, plaintext, quoted_html, quoting, tnef, uuencode
from connectors.adapters.email.characters import storable
from connectors.adapters.email.headers import Headers
from connectors.adapters.email.piece import Piece
from connectors.adapters.email.sanitise import is_excessive, referenced, sanitise
from connectors.messages import Attachment

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w:.-]{1,40})", re.IGNORECASE)
_EXCUSE = re.compile(r"\bhtml\b", re.IGNORECASE)  # "Your program cannot show HTML": no text worth reading
_EXCUSE_LENGTH = 300
_USUAL_NAMES = {"text/calendar": "invitation.ics", "text/plain": "message.txt", "text/html": "message.html"}
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_LONG = "The mail goes on; all of it is in the attached file."
MAX_TEXT_BYTES = 1024 * 1024
SHOWN_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    quoted: str
    html: str
    attachments: tuple[Attachment, ...]
    remark: str


@dataclass(slots=True)
class _Segment:
    """One stretch of the body, as text, as HTML or as both."""

    plain: str = ""
    html: str = ""


@dataclass(slots=True)
class _Parts:
    segments: list[_Segment] = field(default_factory=list)
    files: list[Piece] = field(default_factory=list)
    inline_files: list[tuple[str, bytes]] = field(default_factory=list)


def read(root: Piece, *, is_reply: bool) -> Body:
    """The body of a whole mail. `is_reply`: repeated earlier mail in it is folded."""
    parts = _gather(root)
    html = _html(parts.segments)
    text, quoted = _written(parts.segments, html, is_reply=is_reply)
    shown, html_text, html_quoted = _shown(html, is_reply=is_reply, wants_text=not text.strip())
    if html_text.strip():
        text, quoted = (html_text, html_quoted) if html_quoted or not is_reply else quoting.fold(html_text)
    elif not text.strip():
        text = "\n".join(segment.plain for segment in parts.segments).strip("\n")
    if html and not shown:
        parts.inline_files.append(("message.html", html.encode("utf-8", "replace")))
    attachments = tuple(_attachments(parts, referenced(html)))
    return Body(
        text=text,
        quoted=quoted,
        html=sanitise(shown, [item.content_id for item in attachments if item.content_id]) if shown else "",
        attachments=attachments,
        remark=_remark(root, has_body=bool(text.strip() or shown), has_files=bool(attachments)),
    )


def _written(segments: list[_Segment], html: str, *, is_reply: bool) -> tuple[str, str]:
    """What the plain parts say; nothing if some stretch is HTML alone or the text only excuses itself."""
    text = "\n".join(segment.plain for segment in segments).strip("\n")
    if any(segment.html.strip() and not segment.plain.strip() for segment in segments):
        return "", ""
    if html and len(text) < _EXCUSE_LENGTH and _EXCUSE.search(text):
        return "", ""
    return quoting.fold(text) if is_reply else (text, "")


def _shown(html: str, *, is_reply: bool, wants_text: bool) -> tuple[str, str, str]:
    """(HTML to sanitise and show, its text, the text of its quote); no HTML if it is too much to show."""
    if not html:
        return "", "", ""
    if is_excessive(html):
        return "", plaintext.rough(html) if wants_text else "", ""
    tree = quoted_html.parse(html)
    if tree is None:
        return html, plaintext.rough(html) if wants_text else "", ""
    changed = quoted_html.drop_pixels(tree)
    quote = quoted_html.wrap_quote(tree) if is_reply else None
    shown = quoted_html.serialise(tree) if changed or quote is not None else html
    if not wants_text:
        return shown, "", ""
    if quote is None:
        return shown, plaintext.text_of(tree, len(html)), ""
    quoted_html.take_out(quote)
    return shown, plaintext.text_of(tree, len(html)), plaintext.text_of(quote, len(html))


def _gather(piece: Piece) -> _Parts:
    children = piece.children
    if not children:
        return _leaf(piece)
    if piece.kind == "multipart/alternative":
        return _alternative([_gather(child) for child in children])
    if piece.kind == "multipart/related":
        return _related(piece, children)
    together = _Parts()
    for child in children:
        found = _gather(child)
        together.segments += found.segments
        together.files += found.files
        together.inline_files += found.inline_files
    return together


def _leaf(piece: Piece) -> _Parts:
    is_file = piece.disposition == "attachment" or (piece.declared_name and piece.disposition == "inline")
    if piece.kind in ("text/html", "text/plain") and not is_file:
        return _too_long(piece) if len(piece.content) > MAX_TEXT_BYTES else _text(piece)
    if piece.kind == "text/x-amp-html":
        return _Parts()
    return _Parts(files=[piece])


def _text(piece: Piece) -> _Parts:
    if piece.kind == "text/html":
        return _Parts([_Segment(html=_html_source(piece.content, piece.charset))])
    text, files = uuencode.extract(_plain_source(piece, piece.content))
    return _Parts([_Segment(plain=text)], inline_files=files)


def _too_long(piece: Piece) -> _Parts:
    """Nobody reads a megabyte of text on a screen: its beginning is shown, and all of it is a file."""
    beginning = piece.content[:SHOWN_BYTES]
    if piece.kind == "text/html":
        text = plaintext.rough(_html_source(beginning, piece.charset))
    else:
        text = _plain_source(piece, beginning)
    return _Parts([_Segment(plain=f"{text.rstrip()}\n\n[{_LONG}]")], files=[piece])


def _alternative(choices: list[_Parts]) -> _Parts:
    """The same thing several times: the first plain text and the last HTML; files of all of them."""
    plain = next((choice for choice in choices if choice.segments and not _has_html(choice)), None)
    rich = next((choice for choice in reversed(choices) if _has_html(choice)), None)
    merged = _Parts()
    for choice in choices:
        merged.files += choice.files
        merged.inline_files += choice.inline_files
    if plain and rich:
        text = "\n".join(segment.plain for segment in plain.segments)
        merged.segments = [_Segment(text, _html(rich.segments))]
    elif plain or rich:
        merged.segments = (plain or rich).segments  # type: ignore[union-attr]
    return merged


def _related(piece: Piece, children: list[Piece]) -> _Parts:
    start = piece.parameter("start").strip("<> ")
    root = next((child for child in children if start and child.content_id == start), children[0])
    found = _gather(root)
    for child in children:
        if child is not root:
            found.files += list(child.leaves())
    return found


def _has_html(parts: _Parts) -> bool:
    return any(segment.html.strip() for segment in parts.segments)


def _plain_source(piece: Piece, content: bytes) -> str:
    text = storable(charset.decode(content, piece.charset))
    if piece.parameter("format").lower() == "flowed":
        return flowed.unflow(text, delete_space=piece.parameter("delsp").lower() == "yes")
    return text


def _html_source(content: bytes, label: str) -> str:
    if not label:
        meta = _META_CHARSET.search(content[:2048])
        label = meta[1].decode() if meta else ""
    return storable(charset.decode(content, label))


def _html(segments: list[_Segment]) -> str:
    """All segments as one HTML body; '' if none has any HTML."""
    if not any(segment.html.strip() for segment in segments):
        return ""
    return "\n".join(segment.html if segment.html.strip() else _as_html(segment.plain) for segment in segments)


def _as_html(plain: str) -> str:
    return f'<div style="white-space: pre-wrap">{markup.escape(plain)}</div>' if plain.strip() else ""


def _attachments(parts: _Parts, wanted: set[str]) -> Iterator[Attachment]:
    """The files with clean and unique names; one is inline only if the HTML refers to it."""
    taken: set[str] = set()
    shown: set[str] = set()
    for piece in parts.files:
        wrapped = _unwrapped(piece)
        for file in wrapped:
            name = filename.unique(filename.clean(file.name), taken)
            yield Attachment(name, mimetypes.guess_type(name)[0] or "application/octet-stream", file.content)
        if wrapped:
            continue
        content_id = piece.content_id if piece.content_id.lower() in wanted - shown else ""
        shown.add(content_id.lower())
        name = filename.unique(filename.clean(_name(piece), piece.kind), taken)
        yield Attachment(name=name, content_type=piece.kind, content=piece.content, content_id=content_id)
    for name, content in parts.inline_files:
        kind = "text/html" if name == "message.html" else "application/octet-stream"
        yield Attachment(filename.unique(filename.clean(name), taken), kind, content)


def _unwrapped(piece: Piece) -> list[tnef.File]:
    """The files inside a winmail.dat; without any it stays the file it is."""
    if piece.kind not in _TNEF and piece.declared_name.lower() != "winmail.dat":
        return []
    try:
        return tnef.files(piece.content)
    except tnef.NotTnef:
        return []


def _name(piece: Piece) -> str:
    if piece.declared_name:
        return piece.declared_name
    if piece.kind == "message/rfc822":
        top = Headers.parse(re.split(rb"\r?\n\r?\n", piece.content[:65536], maxsplit=1)[0])
        return f"{top.text('subject', limit=120).replace('/', '-').replace(chr(92), '-') or 'message'}.eml"
    if piece.kind in _USUAL_NAMES:
        return _USUAL_NAMES[piece.kind]
    return piece.headers.text("content-location", limit=200)


def _remark(root: Piece, *, has_body: bool, has_files: bool) -> str:
    if root.kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
        signed = root.parameter("smime-type").lower() == "signed-data"
        return (
            "Signed mail: its text is in the attachment" if signed else "Encrypted mail: its text is in the attachment"
        )
    if has_body:
        return ""
    return "No text, only attachments" if has_files else "No text"
