"""What is inside a message: text, files, shares, stories, and what Instagram does not hand out (instagram.md §7.2).

Nothing is dropped in silence: what cannot be shown leaves a line in brackets in the text.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.adapters import media
from connectors.adapters.instagram.fields import Fields, is_set, link, part, parts, text
from connectors.adapters.instagram.media import hosts
from connectors.messages import Attachment

FILES = {
    "image": ("A photo", "image/jpeg"),
    "video": ("A video", "video/mp4"),
    "audio": ("A voice message", "audio/mp4"),
    "file": ("A file", "application/octet-stream"),
    "media": ("A photo or video", "application/octet-stream"),
    "gif": ("A GIF", "image/gif"),
    "animated_image": ("A GIF", "image/gif"),
    "sticker": ("A sticker", "image/png"),
}
SHARES = {"ig_post": "a post", "share": "a post", "ig_reel": "a reel", "reel": "a reel", "fallback": "a link"}
STORIES = {
    "story_mention": "Mentioned you in their story",
    "ig_story": "Shared a story",
    "story": "Shared a story",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """`remarks` say what happened around the message, in words."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """What one attachment adds: a file, a line of text, a remark, or several of them."""

    attachment: Attachment | None = None
    line: str = ""
    remark: str = ""


def contents(message: Fields) -> Contents:
    """Everything a `message` object shows; its text is never empty unless files or remarks speak for it."""
    attached = parts(message.get("attachments"))
    # Since November 2025 one shared post comes as both; `share` is on its way out.
    if any(text(attachment, "type") == "ig_post" for attachment in attached):
        attached = [attachment for attachment in attached if text(attachment, "type") != "share"]
    pieces = [_piece(attachment) for attachment in attached]
    pieces += [_replied_story(part(part(message, "reply_to"), "story")), _arrival(part(message, "referral"))]
    if is_set(message, "is_unsupported"):
        pieces.append(Piece(line=_hidden("A message of a kind Instagram does not hand out")))
    if text(part(message, "quick_reply"), "payload"):
        pieces.append(Piece(remark="Tapped a quick reply"))
    lines = [text(message, "text"), *(piece.line for piece in pieces)]
    found = Contents(
        text="\n".join(line for line in lines if line),
        attachments=tuple(piece.attachment for piece in pieces if piece.attachment),
        remarks=tuple(dict.fromkeys(piece.remark for piece in pieces if piece.remark)),
    )
    return found if found != Contents() else Contents(text=_hidden("An empty message"))


def arrival(referral: Fields) -> str:
    """How somebody came to write, in words (§7.10)."""
    if product := text(part(referral, "product"), "id"):
        return f"Asked about product {product}"
    if text(referral, "source") == "ADS" or text(referral, "ad_id"):
        title = text(part(referral, "ads_context_data"), "ad_title")
        return f"Came from the ad “{title}”" if title else "Came from an ad"
    if reference := text(referral, "ref"):
        return f"Came by the link “{reference}”"
    return "Came by a link" if referral else ""


def _piece(attachment: Fields) -> Piece:
    kind = text(attachment, "type")
    payload = part(attachment, "payload")
    url = link(payload)
    if kind in FILES:
        what, content_type = FILES[kind]
        return Piece(Attachment(content_type=content_type, url=url)) if url else Piece(line=_hidden(what))
    if kind in SHARES:
        return _share(f"Shared {SHARES[kind]}", text(payload, "title"), url)
    if kind in STORIES:
        url = url or link(payload, "story_media_url")
        return Piece(_story(url), line="" if url else _hidden("A story"), remark=STORIES[kind])
    if kind == "ephemeral":
        return Piece(line=_hidden("A photo or video that can be seen once"))
    if kind == "template":
        titles = [text(element, "title") for element in parts(part(payload, "generic").get("elements"))]
        return Piece(line="\n".join(title for title in titles if title) or _hidden("A card or a shared comment"))
    if kind == "like_heart":
        return Piece(line="❤️")
    return Piece(line=f"{_hidden(f'Something of a new kind, “{kind[:40]}”')} {url}".strip())


def _share(remark: str, title: str, url: str) -> Piece:
    """A shared post is a file on Meta's CDN, or only a link to a page, which nobody can fetch as a file."""
    if title:
        remark = f"{remark}: {title[:300]}"
    if not url:
        return Piece(line=_hidden(remark), remark=remark)
    if media.is_allowed(media.host_of(url), hosts()):
        return Piece(Attachment(url=url), remark=remark)
    return Piece(line=url, remark=remark)


def _story(url: str) -> Attachment | None:
    return Attachment(url=url, keep=False) if url else None


def _replied_story(story: Fields) -> Piece:
    return Piece(_story(link(story)), remark="Replied to your story" if story else "")


def _arrival(referral: Fields) -> Piece:
    return Piece(remark=arrival(referral))


def _hidden(what: str) -> str:
    return f"[{what}. Open Instagram to see it.]"
