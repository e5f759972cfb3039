"""The text of an HTML body, for search, previews and channels that have no HTML."""

from __future__ import annotations

import re
from html import unescape

import nh3
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml.html import HtmlElement

from connectors.adapters.email.characters import storable

LAYOUT_LIMIT = 200_000  # beyond this many characters of HTML the layout is not worth its seconds

_BLOCK_END = re.compile(r"</(?:p|div|tr|li|h[1-6]|table|blockquote)>|<br\s*/?>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n{3,}")
_CONFIG = ParserConfig(css=CSS_PROFILES["strict"])


def text_of(tree: HtmlElement | None, html: str) -> str:
    """Text as a reader would see it. `tree` is the parsed `html`, None when it could not be parsed."""
    text = _laid_out(tree) if tree is not None and len(html) <= LAYOUT_LIMIT else None
    if text is None:
        text = unescape(
            nh3.clean(_BLOCK_END.sub("\n", html), tags=set(), clean_content_tags={"script", "style", "title"})
        )
    lines = (line.rstrip() for line in storable(text.replace("\xa0", " ")).split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _laid_out(tree: HtmlElement) -> str | None:
    try:
        return str(Inscriptis(tree, _CONFIG).get_text())
    except (RecursionError, ValueError, KeyError, AttributeError, IndexError, TypeError):
        return None  # odd tables and deep nesting; the plain way never fails
