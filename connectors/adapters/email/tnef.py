"""`winmail.dat`: what Outlook wraps files in when it sends "rich text" (MS-OXTNEF). Only the files are taken out.

The body stands in the mail's own text part as well. Everything is bounded by the bytes that are there; a stream that
breaks off gives what was whole before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAX_FILES = 200
MAX_DEPTH = 3

_SIGNATURE = 0x223E9F78
_BEGIN_FILE, _TITLE, _DATA, _FILE_PROPERTIES, _CODEPAGE = 0x9002, 0x8010, 0x800F, 0x9005, 0x9007
_LONG_NAME, _NAME, _DISPLAY_NAME, _CONTENT_ID, _INNER = 0x3707, 0x3704, 0x3001, 0x3712, 0x3701
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_TEXT8, _TEXT16, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_MANY = 0x1000
_INNER_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage before an enclosed message


class NotTnef(ValueError):
    """The bytes are no TNEF stream."""


@dataclass(slots=True)
class File:
    name: str = ""
    content: bytes = b""
    content_id: str = ""


def files(data: bytes, depth: int = 0) -> list[File]:
    """The files inside, in order, those of an enclosed message too. Raises `NotTnef`."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise NotTnef
    found: list[File] = []
    codec = "cp1252"
    for attribute, value in _attributes(data):
        if attribute == _CODEPAGE and len(value) >= 4:
            codec = _codec(struct.unpack_from("<I", value)[0])
        elif attribute == _BEGIN_FILE:
            found.append(File())
        elif not found:
            continue
        elif attribute == _TITLE:
            found[-1].name = found[-1].name or _text(value, codec)
        elif attribute == _DATA:
            found[-1].content = value
        elif attribute == _FILE_PROPERTIES:
            found += _described(found[-1], value, codec, depth)
        if len(found) > MAX_FILES:
            break
    return [file for file in found[:MAX_FILES] if file.content]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 6
    while position + 11 <= len(data):
        level, attribute, size = struct.unpack_from("<BII", data, position)
        start = position + 9
        if level not in (1, 2) or start + size > len(data):
            return
        yield attribute & 0xFFFF, data[start : start + size]
        position = start + size + 2  # a checksum nobody writes right


def _described(file: File, value: bytes, codec: str, depth: int) -> list[File]:
    """The file's long name and content id; the files of a message that is enclosed in its place."""
    properties = dict(_properties(value, codec))
    name = properties.get(_LONG_NAME) or properties.get(_DISPLAY_NAME) or properties.get(_NAME)
    if isinstance(name, str) and name:
        file.name = name
    content_id = properties.get(_CONTENT_ID)
    if isinstance(content_id, str):
        file.content_id = content_id.strip("<> ")
    inner = properties.get(_INNER)
    if not isinstance(inner, bytes):
        return []
    if inner.startswith(_INNER_MESSAGE) and depth < MAX_DEPTH:
        try:
            return files(inner[len(_INNER_MESSAGE) :], depth + 1)
        except NotTnef:
            return []
    file.content = file.content or inner
    return []


def _properties(value: bytes, codec: str) -> Iterator[tuple[int, str | bytes]]:
    """(id, text or bytes) of a MAPI property list, as far as it can be read; numbers and times are skipped."""
    try:
        count, position = struct.unpack_from("<I", value)[0], 4
        for _ in range(min(count, 1000)):
            kind, identity = struct.unpack_from("<HH", value, position)
            position = _past_name(value, position + 4) if identity >= 0x8000 else position + 4
            values = 1
            if kind & _MANY or kind in (_TEXT8, _TEXT16, _OBJECT, _BINARY):
                values = struct.unpack_from("<I", value, position)[0]
                position += 4
            for _ in range(min(values, 10_000)):
                if kind & ~_MANY in _FIXED:
                    position += _FIXED[kind & ~_MANY]
                    continue
                size = struct.unpack_from("<I", value, position)[0]
                content = value[position + 4 : position + 4 + size]
                position += 4 + (size + 3) // 4 * 4
                yield identity, _value(kind & ~_MANY, content, codec)
    except struct.error:
        return


def _past_name(value: bytes, position: int) -> int:
    """A named property: 16 bytes of GUID, then a number or a text."""
    is_text, number = struct.unpack_from("<II", value, position + 16)
    return position + 24 + ((number + 3) // 4 * 4 if is_text else 0)


def _value(kind: int, content: bytes, codec: str) -> str | bytes:
    if kind == _TEXT16:
        return content.decode("utf-16-le", "replace").rstrip("\0")
    return _text(content, codec) if kind == _TEXT8 else content


def _text(content: bytes, codec: str) -> str:
    return content.rstrip(b"\0").decode(codec, "replace")


def _codec(codepage: int) -> str:
    name = {65001: "utf-8", 20127: "cp1252", 28591: "cp1252"}.get(codepage, f"cp{codepage}")
    return name if name in _CODECS else "cp1252"


_CODECS = {"utf-8", "cp874", "cp932", "cp936", "cp949", "cp950"} | {f"cp{number}" for number in range(1250, 1259)}
