"""Files out of Outlook's winmail.dat."""

from __future__ import annotations

import base64
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.adapters.email import tnef
from tests.payloads.email.letters import files, mail, message

INNER_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")


def stream(*attributes: tuple[int, bytes]) -> bytes:
    parts = [struct.pack("<BII", 2, number, len(value)) + value + b"\0\0" for number, value in attributes]
    return struct.pack("<IH", 0x223E9F78, 7) + b"".join(parts)


def file(name: str, content: bytes, *properties: bytes) -> list[tuple[int, bytes]]:
    found = [(0x9002, b"\0" * 14), (0x8010, name.encode("cp1252") + b"\0"), (0x800F, content)]
    return [*found, (0x9005, struct.pack("<I", len(properties)) + b"".join(properties))] if properties else found


def text(number: int, value: str) -> bytes:
    content = (value + "\0").encode("utf-16-le")
    return struct.pack("<HHII", 0x1F, number, 1, len(content)) + content.ljust((len(content) + 3) // 4 * 4, b"\0")


def binary(number: int, value: bytes) -> bytes:
    return struct.pack("<HHII", 0x0D, number, 1, len(value)) + value.ljust((len(value) + 3) // 4 * 4, b"\0")


NUMBER = struct.pack("<HHi", 0x03, 0x0E21, 7)
NAMED = struct.pack("<HH16sIIiI", 0x0B, 0x8005, b"g" * 16, 0, 12, 1, 0)[:-4]


def wrapped(data: bytes) -> bytes:
    return mail(
        "Content-Type: application/ms-tnef; name=winmail.dat",
        "Content-Transfer-Encoding: base64",
        body=base64.encodebytes(data).decode(),
    )


def test_the_files_are_taken_out_with_their_long_names() -> None:
    data = stream(
        *file("REPORT~1.DOC", b"word", NUMBER, NAMED, text(0x3707, "Report für März.docx"), text(0x3712, "<cid@x>")),
        *file("plain.pdf", b"%PDF"),
    )
    assert [(each.name, each.content, each.content_id) for each in tnef.files(data)] == [
        ("Report für März.docx", b"word", "cid@x"), ("plain.pdf", b"%PDF", ""),
    ]  # fmt: skip
    found = files(message(wrapped(data)))
    assert found.keys() == {"Report für März.docx", "plain.pdf"}
    assert found["plain.pdf"].content_type == "application/pdf"


def test_a_message_that_is_enclosed_gives_its_files_too_but_not_for_ever() -> None:
    inner = stream(*file("inner.txt", b"deep"))
    for _ in range(10):
        inner = stream(*file("x", b"", binary(0x3701, INNER_MESSAGE + inner)), *file("beside.txt", b"b"))
    assert {each.name for each in tnef.files(inner)} == {"beside.txt", "x"}  # what lies deeper stays a file
    one = stream(*file("x", b"", binary(0x3701, INNER_MESSAGE + stream(*file("inner.txt", b"deep")))))
    assert [each.name for each in tnef.files(one)] == ["inner.txt"]


def test_hostile_names_are_cleaned_like_any_other() -> None:
    found = files(
        message(wrapped(stream(*file("../../etc/passwd", b"x"), *file("a\u2044b".replace("\u2044", "/"), b"y"))))
    )
    assert found.keys() == {"passwd", "b"}


@pytest.mark.parametrize("data", [b"", b"no tnef at all", stream(), stream((0x800F, b"data before any file"))])
def test_what_cannot_be_opened_stays_the_file_it_is(data: bytes) -> None:
    assert files(message(wrapped(data)))["winmail.dat"].content == data


@given(st.integers(0, 1_000_000))
def test_a_broken_stream_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(stream(*file("a.txt", b"x" * 20, NUMBER, NAMED, text(0x3707, "name"), binary(0x3701, b"z" * 40))))
    for _ in range(chance.randrange(1, 8)):
        data[chance.randrange(6, len(data))] = chance.randrange(256)
    tnef.files(bytes(data[: chance.randrange(6, len(data))]))
