"""`format=flowed` text (RFC 3676 §4) with its soft line ends joined."""

from __future__ import annotations

import re

_QUOTES = re.compile(r">*")


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Lines of one quote depth that end in a blank run on; `-- ` is never soft."""
    paragraphs: list[tuple[int, list[str]]] = []
    soft = False
    for line in text.split("\n"):
        depth = _QUOTES.match(line).end()  # type: ignore[union-attr]
        content = line[depth:].removeprefix(" ")
        if soft and paragraphs[-1][0] == depth and content != "-- ":
            paragraphs[-1][1].append(content)
        else:
            paragraphs.append((depth, [content]))
        soft = content.endswith(" ") and content != "-- "
        if soft and delete_space:
            paragraphs[-1][1][-1] = content[:-1]
    return "\n".join(_line(depth, "".join(pieces)) for depth, pieces in paragraphs)


def _line(depth: int, content: str) -> str:
    return f"{'>' * depth} {content}" if depth else content
