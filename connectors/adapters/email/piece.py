"""One MIME part with tolerant answers; all of it is read from the bytes here, in one walk under hard caps.

The standard library's parser turns a mail into text and lines first: a mail of 40 MB costs it ten times its size and
several seconds. Here a part is a stretch of the mail's bytes, and nothing is copied before somebody asks for it.
Genuine mail's maxima were 10.5 KiB of headers, 8.9 KiB in one header, 43 parts, depth 9.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import unquote

from connectors.adapters.email import parameters, uuencode
from connectors.adapters.email.characters import one_line
from connectors.adapters.email.headers import Headers

MAX_MAIL_BYTES = 40 * 1024 * 1024
MAX_TOP_BYTES = 64 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_ALL_HEADER_BYTES = 256 * 1024
MAX_PARTS = 1000
MAX_DEPTH = 50

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_BLOCK = re.compile(rb"(?:(?:[ \t]|From |[!-9;-~]++[ \t]*+:)[^\n]*+(?:\n|\Z))*+")
_EMPTY_LINE = re.compile(rb"\r?\n")
_NEXT_HEADER = re.compile(rb"\n(?![ \t])")
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r?\Z)")


class TooHostile(Exception):
    """This mail is over a cap; `reason` says which, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Piece:
    """The part between two places of a mail. A mail inside the mail is one part with its exact bytes."""

    def __init__(self, raw: bytes, start: int, end: int, default_type: str = "text/plain") -> None:
        block = _BLOCK.match(raw, start, end)
        self.block = block[0] if block else b""
        self.headers = Headers.parse(self.block)
        after = start + len(self.block)
        gap = _EMPTY_LINE.match(raw, after, end)
        self._raw, self._start, self._end = raw, gap.end() if gap else after, end
        self._default_type = default_type
        self.children: list[Piece] = []

    @classmethod
    def parse(cls, raw: bytes) -> Piece:
        """The whole mail; raises `TooHostile`."""
        if len(raw) > MAX_MAIL_BYTES:
            raise TooHostile(f"more than {MAX_MAIL_BYTES // 1024 // 1024} MB")
        if b"\n" not in raw[:MAX_TOP_BYTES]:  # line ends of an old Mac
            raw = raw.replace(b"\r", b"\n")
        root = cls(raw, 0, len(raw))
        if len(root.block) > MAX_TOP_BYTES:
            raise TooHostile(f"more than {MAX_TOP_BYTES // 1024} KiB of headers")
        _Walk().into(root, 0)
        return root

    def split(self) -> Iterator[Piece]:
        """The parts of a multipart, in order. What stands before, between and behind them belongs to none."""
        boundary = self.parameter("boundary").rstrip().encode("utf-8", "surrogateescape")
        if not self._content_type[0].startswith("multipart/") or not boundary:
            return
        kind = "message/rfc822" if self._content_type[0] == "multipart/digest" else "text/plain"
        needle, begun = b"\n--" + boundary, -1
        position = self._raw.find(needle, max(self._start - 1, 0), self._end)
        while position != -1:
            line_end = _DELIMITER_END.match(self._raw, position + len(needle), self._end)
            if line_end is not None:
                if begun != -1:
                    yield Piece(self._raw, begun, max(begun, self._line_end(position)), kind)
                begun = line_end.end()
                if line_end[1]:
                    return
            position = self._raw.find(needle, position + len(needle), self._end)
        if begun != -1:
            yield Piece(self._raw, begun, self._end, kind)

    def _line_end(self, newline: int) -> int:
        return newline - 1 if newline and self._raw[newline - 1] == 13 else newline

    def leaves(self) -> Iterator[Piece]:
        """The parts that hold something themselves, in order; a mail inside the mail is one of them."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    @cached_property
    def _content_type(self) -> tuple[str, dict[str, str]]:
        raw = self.headers.raw("content-type")
        return parameters.split(raw) if raw else (self._default_type, {})

    @cached_property
    def _disposition(self) -> tuple[str, dict[str, str]]:
        return parameters.split(self.headers.raw("content-disposition"))

    @property
    def kind(self) -> str:
        """The media type, lower case; a multipart that has no parts is the text it looks like."""
        kind = self._content_type[0]
        if not _TYPE.fullmatch(kind):
            return "text/plain"
        return "text/plain" if kind.startswith("multipart/") and not self.children else kind

    def parameter(self, name: str) -> str:
        return self._content_type[1].get(name, "")

    @property
    def charset(self) -> str:
        return self.parameter("charset")

    @property
    def disposition(self) -> str:
        return self._disposition[0]

    @cached_property
    def declared_name(self) -> str:
        """The file name as the sender gave it, uncleaned."""
        return self._disposition[1].get("filename", "") or self.parameter("name")

    @cached_property
    def content_id(self) -> str:
        raw = one_line(self.headers.raw("content-id"), 250).strip("<> ")
        return unquote(raw)

    @cached_property
    def content(self) -> bytes:
        """What the part holds, decoded; as it stands where it cannot be."""
        if self.children:
            return b""
        encoded = self._raw[self._start : self._end]
        match self.headers.word("content-transfer-encoding"):
            case "base64":
                return _from_base64(encoded)
            case "quoted-printable":
                return binascii.a2b_qp(encoded)
            case "x-uuencode" | "uuencode" | "uue" | "x-uue":
                return uuencode.part(encoded)
            case _:
                return encoded


class _Walk:
    """Parts all of a mail, and stops it at the caps that hold for the whole."""

    def __init__(self) -> None:
        self.header_bytes = 0
        self.parts = 0

    def into(self, piece: Piece, depth: int) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise TooHostile(f"more than {MAX_PARTS:,} parts")
        self.header_bytes += len(piece.block)
        if self.header_bytes > MAX_ALL_HEADER_BYTES:
            raise TooHostile(f"more than {MAX_ALL_HEADER_BYTES // 1024} KiB of headers over all parts")
        if any(len(header) > MAX_HEADER_BYTES for header in _NEXT_HEADER.split(piece.block)):
            raise TooHostile(f"a header of more than {MAX_HEADER_BYTES // 1024} KiB")
        if depth >= MAX_DEPTH:
            raise TooHostile(f"parts nested more than {MAX_DEPTH} deep")
        for child in piece.split():
            self.into(child, depth + 1)
            piece.children.append(child)


def _from_base64(encoded: bytes) -> bytes:
    for padding in (b"", b"=", b"=="):
        try:
            return binascii.a2b_base64(encoded + padding if padding else encoded)
        except binascii.Error:
            continue
    return encoded
