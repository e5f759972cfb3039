"""One MIME part with tolerant answers. The standard library splits the bytes; everything read from them is ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from functools import cached_property
from urllib.parse import unquote

from connectors.adapters.email import parameters
from connectors.adapters.email.characters import one_line
from connectors.adapters.email.headers import Headers

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")


class _Leafy(Message):
    """Hides `message/*` from the parser, so that a mail inside a mail stays one part with its exact bytes."""

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return "application/octet-stream" if kind.startswith("message/") else kind


class Piece:
    def __init__(self, message: Message, default_type: str = "text/plain") -> None:
        self._message = message
        self._default_type = default_type
        self.headers = Headers((name, str(value)) for name, value in message.raw_items())

    @classmethod
    def parse(cls, raw: bytes) -> Piece:
        return cls(BytesParser(_Leafy).parsebytes(raw))

    @cached_property
    def _content_type(self) -> tuple[str, dict[str, str]]:
        raw = self.headers.raw("content-type")
        return parameters.split(raw) if raw else (self._default_type, {})

    @cached_property
    def _disposition(self) -> tuple[str, dict[str, str]]:
        return parameters.split(self.headers.raw("content-disposition"))

    @cached_property
    def children(self) -> list[Piece]:
        if not self._message.is_multipart():
            return []
        default = "message/rfc822" if self.kind == "multipart/digest" else "text/plain"
        return [Piece(child, default) for child in self._message.get_payload() if isinstance(child, Message)]

    def leaves(self) -> Iterator[Piece]:
        """The parts that hold something themselves, in order; a mail inside the mail is one of them."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    @cached_property
    def kind(self) -> str:
        """The media type, lower case; a multipart that has no parts is the text it looks like."""
        kind = self._content_type[0]
        if not _TYPE.fullmatch(kind):
            kind = "text/plain"
        return "text/plain" if kind.startswith("multipart/") and not self._message.is_multipart() else kind

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
        payload = self._message.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else b""
