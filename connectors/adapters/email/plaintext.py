"""The text of an HTML body, for search, previews and channels that have no HTML."""

from __future__ import annotations

import re
from html import unescape

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml.etree import iterwalk
from lxml.html import HtmlElement

from connectors.adapters.email.characters import storable

LAYOUT_LIMIT = 200_000  # beyond this many characters of HTML the layout is not worth its seconds

_SILENT = {"style", "script", "title", "head", "template"}
_BLOCKS = {"p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote", "br", "hr", "pre"}
_BLOCK_END = re.compile(r"</(?:p|div|tr|li|h[1-6]|table|blockquote)>|<br\s*/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_BLANKS = re.compile(r"[ \t]*\n[ \t]*|[ \t]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"])


def text_of(tree: HtmlElement | None, size: int) -> str:
    """Text as a reader would see it. `size` is that of the HTML in characters."""
    if tree is None:
        return ""
    text = _laid_out(tree) if size <= LAYOUT_LIMIT else ""
    return _tidy(text if text.strip() else _walked(tree))


def rough(html: str) -> str:
    """Text of HTML that is too much to parse: tags out, line by line."""
    text = unescape(_ANY_TAG.sub(" ", _BLOCK_END.sub("\n", html)))
    return _tidy(_BLANKS.sub(lambda blank: "\n" if "\n" in blank[0] else " ", text))


def _laid_out(tree: HtmlElement) -> str:
    try:
        return str(Inscriptis(tree, _CONFIG).get_text())
    except (RecursionError, ValueError, KeyError, AttributeError, IndexError, TypeError):
        return ""  # odd tables and deep nesting; walking never fails


def _walked(tree: HtmlElement) -> str:
    """Text without layout, in one pass and without recursion."""
    pieces: list[str] = []
    for event, node in iterwalk(tree, events=("start", "end", "comment", "pi")):
        name = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            pieces.append("\n" if name in _BLOCKS else "")
            pieces.append("" if name in _SILENT else (node.text or ""))
        else:
            pieces.append("\n" if name in _BLOCKS else "")
            pieces.append("" if node is tree else (node.tail or ""))
    return _BLANKS.sub(lambda blank: "\n" if "\n" in blank[0] else " ", "".join(pieces))


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in storable(text.replace("\xa0", " ")).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n ")
