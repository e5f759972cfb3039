"""HTML from strangers made harmless: an allow-list by nh3, remote images parked, `cid:` only for files that exist.

A remote image comes out as `<img data-src="https://…">` without `src`: the view may put it back when asked to.
`cid:` values are rewritten to the exact `content_id` of the attachment they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

import nh3

MAX_LENGTH = 1024 * 1024
MAX_LINKS = 5000
MAX_DEPTH = 1000  # an HTML parser's cost is quadratic in it


def _words(text: str) -> set[str]:
    return set(text.split())


_TAGS = _words("""
    a abbr b blockquote br caption center code col colgroup dd del details div dl dt em font h1 h2 h3 h4 h5 h6 hr i
    img ins li ol p pre q s small span strike strong sub summary sup table tbody td tfoot th thead tr u ul
""")
_DROPPED_WHOLE = _words("script style title noscript template iframe object embed svg math textarea select")
_LAYOUT = _words("align valign bgcolor width height border cellpadding cellspacing colspan rowspan color")
_ATTRIBUTES = {
    "*": {"style", "dir", "lang"},
    "a": {"href", "title"},
    "img": {"src", "data-src", "alt", "title", "width", "height"},
    "font": {"color", "face", "size"},
    "details": {"class"},
    **dict.fromkeys(("table", "tbody", "thead", "tfoot", "tr", "td", "th", "col", "colgroup", "div", "p"), _LAYOUT),
}
_STYLES = _words("""
    color background-color font font-family font-size font-style font-weight font-variant line-height letter-spacing
    text-align text-decoration text-indent text-transform vertical-align white-space width max-width min-width height
    padding padding-top padding-right padding-bottom padding-left margin margin-top margin-right margin-bottom
    margin-left border border-top border-right border-bottom border-left border-color border-style border-width
    border-collapse border-spacing border-radius list-style-type direction display
""")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.IGNORECASE)
_NEVER_CLOSED = _words("area base br col hr img input link meta param source wbr p li td th tr dt dd option tbody")
_LINK = re.compile(r"(?:https?:|mailto:|tel:)", re.IGNORECASE)
_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_PARKED = "x-parked:"
_ACTIVE_STYLE = re.compile(r"[\\@]|/\*|url\s*\(|image|expression|binding|javascript", re.IGNORECASE)
_OF_THE_WINDOW = re.compile(r"\d[sld]?v(?:h|w|min|max|b|i)\b", re.IGNORECASE)  # the frame is made as high as the mail


def sanitise(html: str, content_ids: Iterable[str] = ()) -> str:
    """Safe HTML to show in a sandboxed frame."""
    files = {content_id.lower(): content_id for content_id in content_ids}

    def judge(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return _style(value)
        if tag == "a" and attribute == "href":
            return value if _LINK.match(value.strip()) else None
        if tag == "img" and attribute == "src":
            return _image(value.strip(), files)
        if attribute == "data-src":
            return value if _REMOTE.match(value) else None
        if tag == "details" and attribute == "class":
            return "quoted" if value == "quoted" else None
        return value

    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=judge,
        url_schemes={"http", "https", "mailto", "tel", "cid", _PARKED.rstrip(":")},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        filter_style_properties=_STYLES,
    )
    return cleaned.replace(f' src="{_PARKED}', ' data-src="')


def is_excessive(html: str) -> bool:
    """Too long, too many links or too deep to show: the text is shown and the original kept as a file."""
    if len(html) > MAX_LENGTH or html.count("href") > MAX_LINKS:
        return True
    return html.count("<") > MAX_DEPTH and _depth(html) > MAX_DEPTH


def referenced(html: str) -> set[str]:
    """The content ids an HTML body shows, lower case."""
    return {unquote(found).strip("<> ").lower() for found in re.findall(r"""cid:([^"'\s>)]+)""", html, re.IGNORECASE)}


def _depth(html: str) -> int:
    """How deep tags are open at most, as far as counting tells."""
    depth = deepest = 0
    for closing, tag in _TAG.findall(html):
        if tag.lower() not in _NEVER_CLOSED:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _image(source: str, files: dict[str, str]) -> str | None:
    if source[:4].lower() == "cid:":
        content_id = files.get(unquote(source[4:]).strip("<> ").lower())
        return f"cid:{content_id}" if content_id else None
    if source.startswith("//"):
        source = f"https:{source}"
    return f"{_PARKED}{source}" if _REMOTE.match(source) else None


def _style(value: str) -> str | None:
    kept = [declaration for declaration in value.split(";") if not _is_active(declaration)]
    return ";".join(kept) or None


def _is_active(declaration: str) -> bool:
    if _ACTIVE_STYLE.search(declaration) or _OF_THE_WINDOW.search(declaration):
        return True
    name, _, value = (part.strip().lower() for part in declaration.partition(":"))
    return (name.startswith("margin") and "-" in value) or (name == "display" and not value.startswith("none"))
