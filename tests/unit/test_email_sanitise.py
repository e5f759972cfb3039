from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from lxml.html import fragment_fromstring

from connectors.adapters.email.sanitise import is_excessive, sanitise
from tests.payloads.email.letters import mail, message

ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='&#x6a;avascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<form action='https://evil.example'><input name=password><button>x</button></form>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='https://evil.example'></object><embed src='https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv='refresh' content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import url(https://evil.example/x.css); body{background:url(https://evil.example/x)}</style>",
    "<div style='background:url(https://evil.example/x)'>x</div>",
    "<div style='background-image:\\75rl(https://evil.example/x)'>x</div>",
    "<div style='color:red;background:u/**/rl(https://evil.example/x)'>x</div>",
    "<div style='list-style-image:url(https://evil.example/x);content:url(https://evil.example/y)'>x</div>",
    "<div style='width:expression(alert(1));behavior:url(x);-moz-binding:url(x)'>x</div>",
    "<div style='position:fixed;top:0;left:0;z-index:99999;width:100%'>overlay</div>",
    "<div style='margin-top:-500px;margin:0 -9px'>x</div>",
    "<img srcset='https://evil.example/x 2x' src='https://evil.example/y'>",
    "<img src='//evil.example/y'>",
    "<img src='file:///etc/passwd'><img src='php://filter'><img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src='http://169.254.169.254/latest/meta-data'>",
    "<img src='cid:../../secret'>",
    "<img data-src='javascript:alert(1)'>",
    "<table background='https://evil.example/x'><tr><td background='https://evil.example/x'>x",
    "<video poster='https://evil.example/x'><source src='https://evil.example/y'></video><audio src='x'>",
    "<input type=image src='https://evil.example/x'>",
    "<span data-mention='7' data-macro='x' id='app' class='admin'>x</span>",
    "<!--[if mso]><img src='https://evil.example/x'><![endif]--><!-- --!><img src='https://evil.example/z'>",
    "<p title=\"<img src='https://evil.example/x'>\">x</p>",
    "<a title='\" src=\"x-parked:https://evil.example/\"' href='https://ok.example'>x</a>",
    "<xss style='x:y' onclick=alert(1)>x</xss>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<a href='x-parked:https://evil.example'>x</a>",
]

_ALLOWED = (
    "style dir lang href title src data-src alt width height color face size class target rel align valign bgcolor"
    " border cellpadding cellspacing colspan rowspan"
)


def assert_harmless(html: str) -> None:
    """Parsed again, the way a browser would: nothing runs, nothing loads."""
    for element in fragment_fromstring(html, create_parent="div").iter():
        assert isinstance(element.tag, str), "a comment"
        assert element.tag not in ("script", "style", "svg", "math", "iframe", "form", "input", "base", "meta", "link")
        assert set(element.keys()) <= set(_ALLOWED.split())
        assert not (element.get("src") or "").lower().startswith(("http", "//", "data:", "file:", "x-parked"))
        assert re.match(r"https?:|mailto:|tel:", element.get("href") or "https:", re.IGNORECASE)
        assert re.match(r"https?://", element.get("data-src") or "https://", re.IGNORECASE)
        style = (element.get("style") or "").lower()
        assert not re.search(r"url|expression|position|z-index|@|\\|binding|behavior|margin[^;]*-\d", style)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives(attack: str) -> None:
    cleaned = sanitise(f"before {attack} after")
    assert_harmless(cleaned)
    assert "before" in cleaned
    assert_harmless(sanitise(cleaned))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_a_whole_mail_or_its_quote(attack: str) -> None:
    body = f"<div>new</div>{attack}<blockquote type=cite>{attack}</blockquote>"
    found = message(mail("Subject: Re: x", "In-Reply-To: <a@b>", "Content-Type: text/html", body=body))
    assert_harmless(found.html)


@hypothesis(deadline=None)
@given(st.lists(st.sampled_from(["<", ">", '"', "'", "=", " ", "/", "!--", "-->", "]]>", "svg", "style", "img", "src",
                                 "script", "onerror", "a", "href", "javascript:", "x-parked:", "https://x.example", "x",
                                 "<p title=", "<style>", "</style>", "<math>", "<details class=quoted>", "\x00"]),
                max_size=40).map("".join))  # fmt: skip
def test_no_mixture_of_fragments_survives(html: str) -> None:
    assert_harmless(sanitise(html))


def test_remote_images_are_parked_and_loadable_on_demand() -> None:
    assert sanitise('<img src="https://x.example/a>b.png?c=1&d=2" alt="a>b">') == (
        '<img data-src="https://x.example/a>b.png?c=1&amp;d=2" alt="a&gt;b">'
    ).replace("a>b.png", "a&gt;b.png")
    assert sanitise('<img src="//x.example/a.png">') == '<img data-src="https://x.example/a.png">'


def test_images_in_the_mail_keep_the_exact_content_id_of_their_file() -> None:
    assert sanitise('<img src="CID:Logo%40x">', ["logo@x"]) == '<img src="cid:logo@x">'
    assert sanitise('<img src="cid:other">', ["logo@x"]) == "<img>"


def test_links_open_outside_and_tell_nobody_where_from() -> None:
    link = fragment_fromstring(sanitise('<a href="https://x.example" target="_self" rel="opener">x</a>'))
    assert dict(link.attrib) == {
        "href": "https://x.example",
        "target": "_blank",
        "rel": "noopener noreferrer nofollow",
    }


def test_ordinary_layout_survives() -> None:
    html = '<table border="0"><tbody><tr><td style="color:red;padding:4px">x</td></tr></tbody></table>'
    assert sanitise(html) == html


def test_hidden_text_stays_hidden() -> None:
    assert sanitise('<div style="display:none">x</div>') == '<div style="display:none">x</div>'
    assert sanitise('<div style="display:flex;color:red">x</div>') == '<div style="color:red">x</div>'


def test_nothing_is_as_high_as_the_window_whose_height_is_the_mails_own() -> None:
    assert sanitise('<div style="height:100vh;width:9.5DVW;color:red">x</div>') == '<div style="color:red">x</div>'


def test_our_own_fold_survives_and_foreign_classes_do_not() -> None:
    assert sanitise('<details class="quoted"><summary>…</summary>x</details>').startswith('<details class="quoted">')
    assert sanitise('<details class="app">x</details><p class="app">y</p>') == "<details>x</details><p>y</p>"


@pytest.mark.parametrize("html", ["x" * (1024 * 1024 + 1), "<a href=x>" * 5001, "<div>" * 1001])
def test_too_much_html_is_recognised(html: str) -> None:
    assert is_excessive(html)
    assert not is_excessive("<li>x" * 3000)
