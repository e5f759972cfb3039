"""What may be stored and shown: no NUL, no lone surrogate, no hidden direction changes."""

from __future__ import annotations

import re

_NEWLINE = re.compile(r"\r\n?|\u2028|\u2029")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BLANK = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029]+")
# Direction overrides and invisible marks make "exe.pdf" out of "fdp.exe"; the joiners inside emoji (U+200D) stay.
_DECEPTIVE = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff\ufffe\uffff]"
)


def storable(text: str) -> str:
    """Text of several lines that PostgreSQL takes: line ends are `\\n`, control characters gone (tab stays)."""
    return _UNSTORABLE.sub("", _NEWLINE.sub("\n", text))


def one_line(text: str, limit: int = 1000) -> str:
    """A subject, name or header value: one line, blanks collapsed, no control or direction characters.

    An encoded word can hide `\\r\\nBcc: …`; here is the one place where that ends (security A20).
    """
    return _BLANK.sub(" ", _DECEPTIVE.sub("", text)).strip()[:limit].rstrip()
