"""The repeated earlier mail inside an HTML body, put into `<details class="quoted">` (reference/email.md §5).

Works on the parsed tree before sanitising, so nothing here is trusted. Nothing is removed but tracking pixels.
"""

from __future__ import annotations

import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring, fragment_fromstring, tostring

_CLASSES = {"gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "zmail_extra", "gmail_extra"}
_FROM_HERE_CLASSES = {"ms-outlook-mobile-reference-message"}
_FROM_HERE_IDS = {"divRplyFwdMsg", "appendonsend", "OLK_SRC_BODY_SECTION"}
_OUTLOOK_RULE = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+(?:#e1e1e1|#b5c4df)\s+1\.0pt"
    r"|border-top:\s*1px solid\s+(?:#e1e1e1|rgb\(225)",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado", re.IGNORECASE
)
_ATTRIBUTION = re.compile(r"(?:\d{4}|\d{1,2}[:.]\d\d|@).{0,200}[:：]\s*$", re.DOTALL)
_PIXEL = re.compile(r"\s*[01](?:px)?\s*")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def parse(html: str) -> HtmlElement | None:
    """The body as a tree, or None if there is nothing to parse."""
    try:
        return document_fromstring(_XML_DECLARATION.sub("", html), parser=HTMLParser(huge_tree=True, encoding=None))
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def drop_pixels(tree: HtmlElement) -> bool:
    """Remove 1×1 images, which only report that the mail was opened. True if there were any."""
    pixels = [image for image in tree.iter("img") if _is_pixel(image)]
    for image in pixels:
        image.drop_tree()
    return bool(pixels)


def wrap_quote(tree: HtmlElement) -> HtmlElement | None:
    """Fold the quote into a `details` element and return it; None if there is none or it is interleaved."""
    start, runs_on = _quote_start(tree)
    if start is None:
        return None
    if runs_on:
        start = _climb(start)
    parent = start.getparent()
    if parent is None or _FORWARDED.search(_text(start)[:300]):
        return None
    start = _with_attribution(start)
    folded = [start, *(start.itersiblings() if runs_on else _up_to_quote(start))]
    details = _details()
    start.addprevious(details)
    details.extend(folded)
    if not runs_on:  # lxml moves the text after an element with it; that text is an answer, not the quote
        details.tail, folded[-1].tail = folded[-1].tail, None
    interleaved = not runs_on and _has_content(details, "following")
    if interleaved or not _has_content(details, "preceding"):
        details.find("summary").drop_tree()
        details.drop_tag()
        return None
    return details


def take_out(quote: HtmlElement) -> None:
    """Part the folded quote from the tree and from its "…", so that each half can be read as text."""
    quote.find("summary").drop_tree()
    tail, quote.tail = quote.tail, None
    parent = quote.getparent()
    previous = quote.getprevious()
    parent.remove(quote)
    if tail and previous is not None:
        previous.tail = (previous.tail or "") + tail
    elif tail:
        parent.text = (parent.text or "") + tail


def serialise(tree: HtmlElement) -> str:
    return str(tostring(tree, encoding="unicode"))


def _quote_start(tree: HtmlElement) -> tuple[HtmlElement | None, bool]:
    """The first element of the quote, and whether all that follows it belongs to it as well."""
    for element in tree.iter("div", "blockquote", "hr", "span", "table"):
        classes = {name.removeprefix("x_") for name in (element.get("class") or "").split()}
        identifier = (element.get("id") or "").removeprefix("x_")
        if classes & _FROM_HERE_CLASSES or identifier in _FROM_HERE_IDS or element.get("data-marker") == "__DIVIDER__":
            return element, True
        if _OUTLOOK_RULE.search(element.get("style") or ""):
            return element, True
        if classes & _CLASSES or identifier.startswith("yahoo_quoted") or element.get("name") == "quote":
            return element, False
        if element.tag == "blockquote" and (element.get("type") or "").lower() == "cite":
            return element, False
    return None, False


def _climb(element: HtmlElement) -> HtmlElement:
    """Outlook wraps its rule in a box of its own; the quoted mail follows that box."""
    parent = element.getparent()
    while (
        parent is not None and parent.tag == "div" and element.getprevious() is None and not (parent.text or "").strip()
    ):
        element, parent = parent, parent.getparent()
    return element


def _with_attribution(element: HtmlElement) -> HtmlElement:
    """Apple Mail writes `On … wrote:` in an element of its own before the quote."""
    before = element.getprevious()
    hops = 0
    while before is not None and not _text(before).strip() and not (before.tail or "").strip() and hops < 3:
        before, hops = before.getprevious(), hops + 1
    if before is None or before.tag not in ("div", "p", "span") or (before.tail or "").strip():
        return element
    text = _text(before).strip()
    return before if len(text) < 300 and _ATTRIBUTION.search(text) else element


def _up_to_quote(start: HtmlElement) -> list[HtmlElement]:
    """The siblings after the attribution that belong to the quote: up to and with the first quote."""
    if _is_quote(start):
        return []
    taken: list[HtmlElement] = []
    for sibling in start.itersiblings():
        taken.append(sibling)
        if _is_quote(sibling):
            break
    return taken


def _is_quote(element: HtmlElement) -> bool:
    names = {name.removeprefix("x_") for name in (element.get("class") or "").split()}
    return element.tag == "blockquote" or bool(names & _CLASSES) or element.get("name") == "quote"


def _details() -> HtmlElement:
    return fragment_fromstring('<details class="quoted"><summary>…</summary></details>')


def _has_content(details: HtmlElement, axis: str) -> bool:
    """Whether there is text or a picture before ("preceding") or after ("following") the folded part."""
    texts = details.xpath(f"{axis}::text()[not(ancestor::style or ancestor::title or ancestor::script)]")
    return any(text.strip("\xa0\u200b \t\r\n") for text in texts) or bool(details.xpath(f"{axis}::img"))


def _is_pixel(image: HtmlElement) -> bool:
    return any(_PIXEL.fullmatch(image.get(side) or "") for side in ("width", "height"))


def _text(element: HtmlElement) -> str:
    return "".join(element.itertext()) if isinstance(element.tag, str) else ""
