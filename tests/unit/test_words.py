"""How words are drawn: links, and nothing that looks like one by mistake."""

from __future__ import annotations

from django.utils.html import escape, urlize
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.templatetags.words import _LINK, plain

PIECES = [
    "http://shop.test/a?b=1&c=2", "HTTPS://Shop.test", "www.shop.test", "(WWW.shop.com)", "shop.com", "Shop.Org/x.",
    "maya@ortiz.test", "<maya@ortiz.test>", "10:52", "a.b", "ftp://x.net", "etc...", "<b>", "&amp;", '"', "\n", ",",
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8)).map(" ".join))
def test_every_text_has_the_links_that_looking_at_each_of_its_words_finds(text: str) -> None:
    linked = urlize(escape(text), nofollow=True)
    assert plain(text) == _LINK.sub(r'<a target="_blank" referrerpolicy="no-referrer" href="\1', linked)
