"""`value; name=parameter` headers: Content-Type and Content-Disposition, with RFC 2231 continuations."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from connectors.adapters.email import charset
from connectors.adapters.email.headers import decode

# A quoted string, or anything up to the next semicolon: unquoted blanks and raw bytes are common in file names.
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_EXTENDED = re.compile(r"^(.+?)(?:\*(\d{1,4}))?(\*)?$")


def split(raw: str) -> tuple[str, dict[str, str]]:
    """The leading value in lower case and its parameters, decoded, names in lower case; the first of a name holds."""
    value = raw.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, text in _PARAMETER.findall(raw):
        bare = _unquote(text)
        base, number, extended = _EXTENDED.fullmatch(name.lower()).groups()  # type: ignore[union-attr]
        if number is None and not extended:
            plain.setdefault(base, decode(bare))
        else:
            parts.setdefault(base, {}).setdefault(int(number or 0), (bool(extended), bare))
    for base, numbered in parts.items():
        plain[base] = _joined(numbered)
    return value, plain


def _unquote(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.strip('"')


def _joined(numbered: dict[int, tuple[bool, str]]) -> str:
    """RFC 2231 §3–4: `name*0*=utf-8''a%20; name*1=b`. The charset stands in the first piece."""
    label, data = "", b""
    for position, (_, (extended, text)) in enumerate(sorted(numbered.items())):
        if extended and position == 0 and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
        raw = text.encode("ascii", "surrogateescape") if _escapable(text) else text.encode("utf-8", "replace")
        data += unquote_to_bytes(raw) if extended else raw
    return charset.decode(data, label, detect=False)


def _escapable(text: str) -> bool:
    return all(ord(letter) < 128 or 0xDC80 <= ord(letter) <= 0xDCFF for letter in text)
