"""A file name that is safe to show, store beside and download under (reference/email.md §8, security A41)."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from connectors.adapters.email.characters import one_line

MAX_BYTES = 255

_FORBIDDEN = re.compile(r'[<>:"|?*%\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def clean(name: str, content_type: str = "") -> str:
    """The base name in NFC, 255 bytes with its extension kept; `file` plus an extension when nothing is left."""
    name = unicodedata.normalize("NFC", one_line(name, 1000))
    name = re.split(r"[/\\\u2044\u2215\u29f8\uff0f\uff3c]", name)[-1]
    name = _FORBIDDEN.sub("_", name).strip(". ")
    if not name.strip("_"):
        name = f"file{mimetypes.guess_extension(content_type) or ''}"
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _short(name)


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name (2)` and so on; what it returns is then taken."""
    stem, dot, extension = name.rpartition(".")
    candidate, number = name, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{stem} ({number}).{extension}" if dot and stem else f"{name} ({number})"
    taken.add(candidate.lower())
    return candidate


def _short(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 16:
        stem, extension = name, ""
    ending = f".{extension}" if extension else ""
    return stem.encode()[: MAX_BYTES - len(ending.encode())].decode("utf-8", "ignore").rstrip(". ") + ending
