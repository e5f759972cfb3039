"""The header block of a mail or part, read tolerantly: no access raises, nothing is quadratic.

Own decoding because `email.policy` raises on genuine mail (reliability.md §3) and splits characters at word borders.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterable, Iterator

from connectors.adapters.email import charset
from connectors.adapters.email.characters import one_line

_FOLD = re.compile(r"\r?\n[ \t]?|\r")
_ENCODED_WORD = re.compile(r"=\?([^?\s=]{1,60})\?([BbQq])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,990})>")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_LINE_START = re.compile(rb"\r\n(?![ \t])|\n(?![ \t])|\r(?![ \t\n])")


class Headers:
    """Fields in their order; names without regard to case; values raw, bytes beyond ASCII as surrogate escapes."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self._fields = [(name.lower(), _FOLD.sub(" ", value).strip()) for name, value in fields]

    @classmethod
    def parse(cls, block: bytes) -> Headers:
        """The fields of a bare block: a delivery report's group, the top of a returned mail."""
        matches = (_FIELD.match(line) for line in _LINE_START.split(block))
        pairs = ((m[1], m[2]) for m in matches if m)
        return cls((n.decode("ascii", "replace"), v.decode("ascii", "surrogateescape")) for n, v in pairs)

    def all(self, name: str) -> list[str]:
        """Raw unfolded values of every field of this name (lower-case)."""
        return [value for field, value in self._fields if field == name]

    def raw(self, name: str) -> str:
        """The first one's raw value, or ''."""
        return next((value for field, value in self._fields if field == name), "")

    def text(self, name: str, fallback: str = "", limit: int = 1000) -> str:
        """The first one, decoded, as one safe line. `fallback` is the charset of raw bytes: the body's."""
        return one_line(decode(self.raw(name), fallback), limit)

    def word(self, name: str) -> str:
        """The first token in lower case, comments and parameters cut: `auto-replied` of `Auto-Replied (vacation)`."""
        return re.split(r"[\s;(]", one_line(self.raw(name)), maxsplit=1)[0].lower()

    def message_ids(self, name: str) -> tuple[str, ...]:
        """Message-IDs without brackets. Without any brackets the whole trimmed value counts as one."""
        ids: dict[str, None] = {}
        for value in self.all(name):
            found = _MESSAGE_ID.findall(value)
            bare = value.strip("<> \t")
            if not found and bare and " " not in bare and "<" not in value:
                found = [bare[:990]]
            ids.update(dict.fromkeys(one_line(item) for item in found))
        ids.pop("", None)
        return tuple(ids)

    def __contains__(self, name: str) -> bool:
        return any(field == name for field, _ in self._fields)


def decode(raw: str, fallback: str = "") -> str:
    """Encoded words (RFC 2047) and raw bytes as text; adjacent words of one charset are joined before decoding."""
    return "".join(_pieces(raw, fallback))


def _pieces(raw: str, fallback: str) -> Iterator[str]:
    pending, pending_label, position = b"", "", 0
    for word in _ENCODED_WORD.finditer(raw):
        between = raw[position : word.start()]
        label = word[1].partition("*")[0].lower()  # RFC 2231 §5: charset*language
        if pending and (between.strip() or label != pending_label):
            yield charset.decode(pending, pending_label, detect=False)
            pending = b""
        if between.strip() or position == 0:
            yield _unencoded(between, fallback)
        pending += _word_bytes(word[2], word[3])
        pending_label, position = label, word.end()
    if pending:
        yield charset.decode(pending, pending_label, detect=False)
    yield _unencoded(raw[position:], fallback)


def _word_bytes(encoding: str, content: str) -> bytes:
    if encoding in "Bb":
        sound = _NOT_BASE64.sub("", content)
        try:
            return base64.b64decode(sound + "=" * (-len(sound) % 4))
        except binascii.Error:
            return base64.b64decode(sound[: len(sound) // 4 * 4])
    return quopri.decodestring(content.encode("ascii", "surrogateescape"), header=True)


def _unencoded(text: str, fallback: str) -> str:
    if text.isascii():
        return text
    data = text.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return charset.decode(data, fallback, detect=False)
