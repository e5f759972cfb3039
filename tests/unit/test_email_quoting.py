from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from connectors.adapters.email import quoted_html, quoting
from connectors.adapters.email.sanitise import sanitise
from tests.payloads.email.letters import mail, message

NEW = "Thank you, that helps."
OLD = "> It left today.\n> Ana"
UNQUOTED = "It left today.\nAna"


@pytest.mark.parametrize(
    "intro",
    [
        "On Fri, Nov 21, 2025 at 4:12 PM Shop Support <support@shop.example> wrote:",
        "On Fri, Nov 21, 2025 at 4:12\u202fPM Shop Support <support@shop.example>\nwrote:",
        "Am Fr., 21. Nov. 2025 um 16:12 Uhr schrieb Shop <support@shop.example>:",
        "Am 21.11.2025 um 16:12 schrieb Shop:",
        "Le ven. 21 nov. 2025 à 16:12, Shop <support@shop.example> a écrit :",
        "El vie, 21 nov 2025 a las 16:12, Shop (<support@shop.example>) escribió:",
        "Il giorno ven 21 nov 2025 alle ore 16:12 Shop <support@shop.example> ha scritto:",
        "Em sex., 21 de nov. de 2025 às 16:12, Shop <support@shop.example> escreveu:",
        "Op vr 21 nov 2025 om 16:12 schreef Shop <support@shop.example>:",
        "пт, 21 нояб. 2025 г. в 16:12, Shop <support@shop.example>:",
        "2025年11月21日(金) 16:12 Shop <support@shop.example>:",
        "Shop <support@shop.example> 于2025年11月21日周五 16:12写道：",
        "pt., 21 lis 2025 o 16:12 Shop <support@shop.example> napisał(a):",
        "Den fre 21 nov. 2025 kl 16:12 skrev Shop <support@shop.example>:",
        "2025. nov. 21., P 16:12, Shop <support@shop.example> ezt írta:",
        "Den fre. 21. nov. 2025 kl. 16.12 skrev Shop <support@shop.example>:",
        "pe 21. marrask. 2025 klo 16.12 Shop (support@shop.example) kirjoitti:",
        "pá 21. 11. 2025 v 16:12 odesílatel Shop <support@shop.example> napsal:",
        "În vin., 21 nov. 2025 la 16:12, Shop <support@shop.example> a scris:",
        "Shop <support@shop.example>, 21 Kas 2025 Cum, 16:12 tarihinde şunu yazdı:",
        "Στις Παρ 21 Νοε 2025 στις 4:12 μ.μ., ο χρήστης Shop <support@shop.example> έγραψε:",
        "пт, 21 лист. 2025 р. о 16:12 Shop <support@shop.example> пише:",
        "2025년 11월 21일 (금) 오후 4:12, Shop <support@shop.example>님이 작성:",
        "Vào Th 6, 21 thg 11, 2025 lúc 16:12 Shop <support@shop.example> đã viết:",
        (
            "\u202bבתאריך יום ו׳, 21 בנוב׳ 2025 ב-16:12 מאת \u202aShop\u202c\u200f"
            " <\u202asupport@shop.example\u202c>:\u202c"
        ),
        "في الجمعة، 21 نوفمبر 2025 في 4:12 م تمت كتابة ما يلي بواسطة Shop <support@shop.example>:",
    ],
)
def test_an_attribution_in_any_language_begins_the_quote(intro: str) -> None:
    assert quoting.fold(f"{NEW}\n\n{intro}\n{OLD}") == (NEW, f"{intro}\n{OLD}")
    assert quoting.fold(f"{NEW}\n{intro}\n\n{OLD}\n") == (NEW, f"{intro}\n\n{OLD}")


@pytest.mark.parametrize(
    "intro",
    [
        "-----Original Message-----\nFrom: Shop\nSent: Friday",
        "-----Ursprüngliche Nachricht-----\nVon: Shop",
        "________________________________\nFrom: Shop <support@shop.example>\nSent: Friday\nTo: Maya\nSubject: Hi",
        "From: Shop <support@shop.example>\nSent: Friday, 21 November 2025\nTo: Maya\nSubject: Hi",
        "*Von:* Shop <support@shop.example>\n*Gesendet:* Freitag\n*An:* Maya\n*Betreff:* Hi",
        "De : Shop <support@shop.example>\nEnvoyé : vendredi\nÀ : Maya\nObjet : Hi",
        "От: Shop <support@shop.example>\nОтправлено: пятница\nКому: Maya\nТема: Hi",
        "差出人: Shop <support@shop.example>\n送信日時: 金曜日\n宛先: Maya\n件名: Hi",
        "##- Please type your reply above this line -##",
        "On 21/11/2025 16:12, Shop wrote:",
    ],
)
def test_a_header_block_or_rule_begins_an_unmarked_quote(intro: str) -> None:
    assert quoting.fold(f"{NEW}\n\n{intro}\n\n{UNQUOTED}") == (NEW, f"{intro}\n\n{UNQUOTED}")


@pytest.mark.parametrize(
    "text",
    [
        NEW,
        "On Monday I wrote:\nplease send the invoice.",
        "From: where do you ship?\nAnd when?",
        "Thanks,\nbut the second item is broken",
        f"On 21/11/2025 16:12, Shop wrote:\n{OLD}",
        f"On 21/11/2025 16:12, Shop wrote:\n{OLD}\n{NEW}",
        f"{NEW}\n\nOn 21/11/2025 16:12, Shop wrote:\n> What colour?\nBlue.\n> What size?\n42.",
        f"{NEW}\n\n---------- Forwarded message ---------\nFrom: S <s@x.example>\nDate: Fri\nSubject: Hi\nTo: M\n\nold",
        OLD,
        "",
        "\n\n",
    ],
)
def test_when_in_doubt_everything_stays(text: str) -> None:
    assert quoting.fold(text) == (text, "")


def test_a_signature_below_the_quote_does_not_keep_it_open() -> None:
    text, quoted = quoting.fold(f"{NEW}\n\nOn 21/11/2025 16:12, Shop wrote:\n{OLD}\n-- \nMaya")
    assert text == NEW
    assert quoted.endswith("-- \nMaya")


@pytest.mark.parametrize(
    ("subject", "threaded", "expected"),
    [
        ("Re: Hi", False, True),
        ("AW: Hi", False, True),
        ("回复：你好", False, True),
        ("Hi", True, True),
        ("Hi", False, False),
        ("Fwd: Hi", True, False),
        ("WG: Hi", True, False),
    ],
)
def test_only_a_reply_is_folded(subject: str, threaded: bool, expected: bool) -> None:
    assert quoting.is_reply(subject, threaded=threaded) is expected


@hypothesis(deadline=None)
@given(st.lists(st.sampled_from([NEW, OLD, "On 21/11/2025 Shop wrote:", "", "> x", "From: a", "To: b", "Date: c"])))
def test_nothing_is_ever_lost(paragraphs: list[str]) -> None:
    text = "\n".join(paragraphs)
    written, quoted = quoting.fold(text)
    assert [line for line in f"{written}\n{quoted}".split("\n") if line.strip()] == [
        line for line in text.split("\n") if line.strip()
    ]
    assert written.strip() or not text.strip() or not quoted


@pytest.mark.parametrize(
    "text",
    [
        "On x " * 4000,
        "On x " * 210_000,
        "On x wrote:\n" * 50_000,
        ">" * 1_000_000,
        "> x\n" * 250_000,
        "Am x schrieb " * 80_000,
        "From: a\n" * 100_000,
        "_" * 1_000_000,
        "a:\n> b\n" * 100_000,
    ],
)
def test_looking_for_quotes_is_quick_on_hostile_text(text: str) -> None:
    started = time.process_time()
    quoting.fold(text)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On Fri wrote:</div><blockquote>OLD</blockquote></div>',
        '<div class="x_gmail_quote">OLD</div>',
        '<blockquote type="cite">OLD</blockquote>',
        '<div class="moz-cite-prefix">On 21/11/2025 16:12, Shop wrote:</div><blockquote type="cite">OLD</blockquote>',
        '<div class="yahoo_quoted" id="yahoo_quoted_1">OLD</div>',
        '<div class="protonmail_quote">OLD</div>',
        '<div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg">From: Shop</div><div>OLD</div>',
        '<div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in">From</div></div><p>OLD</p>',
        '<div id="mail-editor" class="ms-outlook-mobile-reference-message">OLD</div>',
        '<hr data-marker="__DIVIDER__"><div>OLD</div>',
    ],
)
def test_the_quote_in_html_is_folded(quote: str) -> None:
    tree = quoted_html.parse(f"<html><body><div>NEW</div><br>{quote}<br></body></html>")
    assert tree is not None
    assert quoted_html.wrap_quote(tree) is not None
    before, _, folded = sanitise(quoted_html.serialise(tree)).partition('<details class="quoted">')
    assert "NEW" in before
    assert "OLD" not in before
    assert "OLD" in folded
    assert "wrote:" not in before


@pytest.mark.parametrize(
    "html",
    [
        "<div>NEW</div>",
        '<blockquote type="cite">OLD</blockquote>',
        '<blockquote type="cite">OLD</blockquote>NEW',
        '<div>NEW</div><blockquote type="cite">OLD</blockquote>answer<blockquote type="cite">OLD</blockquote>',
        '<div>NEW</div><blockquote type="cite">OLD</blockquote><p>answer</p>',
        '<div>NEW</div><div class="gmail_quote">---------- Forwarded message ---------<br>From: x</div>',
    ],
)
def test_html_without_a_clear_quote_stays_as_it_is(html: str) -> None:
    tree = quoted_html.parse(html)
    assert tree is not None
    before = quoted_html.serialise(tree)
    assert quoted_html.wrap_quote(tree) is None
    assert quoted_html.serialise(tree) == before


def test_the_text_of_an_html_only_reply_is_folded_like_its_html() -> None:
    body = (
        "<div>Neu &amp; gut</div><div>Am 21.11.2025 um 16:12 schrieb Shop &lt;support@shop.example&gt;:</div>"
        '<blockquote type="cite"><div>Alt</div></blockquote>'
    )
    found = message(mail("Subject: Re: x", "Content-Type: text/html", body=body))
    assert (found.text, found.quoted.splitlines()[-1]) == ("Neu & gut", "Alt")


def test_the_first_mail_of_a_conversation_is_never_folded() -> None:
    found = message(mail("Subject: Question", body=f"{NEW}\n\nOn 21/11/2025 16:12, Shop wrote:\n{OLD}"))
    assert found.quoted == ""
