"""What strangers send is shown and nothing more: no script runs, nothing covers the page, nothing is fetched."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from playwright.sync_api import Page, expect

from tests.e2e.conftest import card, open_case, row
from tests.e2e.people import somebody
from tests.stack import ROOT, Stack, until

Window = Callable[..., Page]
TRACKER = "http://tracker.example"
HOSTILE = """"><img src=x onerror=alert(1)>'{{7*7}}<svg/onload=alert(2)>"""
FILE = 'a"><img src=x onerror=alert(3)>.html'
MAIL = (Path(__file__).parent / "hostile_mail.html").read_text()
INSIDE = """frame => {
    const page = frame.contentDocument, all = [...page.querySelectorAll("*")];
    const active = "script, svg, math, form, input, button, iframe, object, embed, video, link, meta[http-equiv]";
    return {
        active: [...page.querySelectorAll(active)].map((each) => each.outerHTML),
        handlers: all.flatMap((each) => each.getAttributeNames()).filter((name) => name.startsWith("on")),
        links: [...page.querySelectorAll("a[href]")].map((each) => each.href),
        afloat: all.filter((each) => ["fixed", "absolute", "sticky"].includes(getComputedStyle(each).position)).length,
        photo: page.querySelector("img[alt='The photo']")?.naturalWidth ?? 0,
        text: page.body?.innerText ?? "",
    };
}"""
PLANTED = """() => [...document.querySelectorAll("img[src='x'], [onerror], [onload], script:not([src])")]
    .map((each) => each.outerHTML)"""


def send_mail(stack: Stack, name: str, subject: str) -> None:
    """As Kim's mail program would, signed in at her mail server."""
    kim = next(each for each in stack.demo["customers"] if each["name"] == "Kim Novak")
    mail = EmailMessage()
    mail["From"], mail["To"] = formataddr((name, kim["email"])), "support@northwind.test"
    mail["Subject"], mail["Message-ID"] = subject, make_msgid(domain="customers.test")
    mail.set_content("A quiet letter\n")
    mail.add_alternative(MAIL, subtype="html")
    body: Any = mail.get_payload()[1]  # type: ignore[index]
    photo = (ROOT / "docs" / "inbox.png").read_bytes()
    body.add_related(photo, maintype="image", subtype="png", cid="<photo@guests.test>")
    mail.add_attachment(b"<script>alert('file')</script>", maintype="text", subtype="html", filename=FILE)
    mail.add_attachment(
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        maintype="image",
        subtype="svg+xml",
        filename="a.svg",
    )
    server = stack.demo["sandbox"]["smtp"]
    with smtplib.SMTP(server["host"], server["port"]) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=stack.demo["sandbox"]["ca_file"]))
        smtp.login(kim["email"], kim["email_password"])
        smtp.send_message(mail)


def test_a_hostile_mail_is_inert(stack: Stack, window: Window) -> None:
    asked: list[str] = []

    def watch(page: Page) -> None:
        page.context.on("request", lambda request: asked.append(request.url))
        page.route(f"{TRACKER}/**", lambda route: route.fulfill(status=200, content_type="image/gif", body=b"GIF89a"))

    anas = window("ana", prepare=watch)
    send_mail(stack, HOSTILE, f"Letter {HOSTILE}")
    row(anas, "Letter").click()
    frame = anas.locator(".mail iframe")
    expect(frame).to_be_visible()
    until(
        lambda: "The end of the letter." in anas.evaluate(INSIDE, frame.element_handle())["text"], "the mail is drawn"
    )
    until(lambda: anas.evaluate(INSIDE, frame.element_handle())["photo"] > 100, "the photo inside the mail is drawn")
    inside = anas.evaluate(INSIDE, frame.element_handle())
    assert inside["active"] == []
    assert inside["handlers"] == []
    assert inside["afloat"] == 0
    assert inside["links"] == ["https://shop.example/order"]
    assert anas.evaluate(PLANTED) == []
    assert [each for each in asked if not each.startswith(stack.url)] == []
    sandbox = (frame.get_attribute("sandbox") or "").split()
    assert "allow-scripts" not in sandbox
    assert not {"allow-forms", "allow-top-navigation", "allow-modals"} & set(sandbox)
    expect(anas.locator("#case-title")).to_be_visible()

    for name in ("onerror=alert(3)", "a.svg"):
        link = anas.locator(".files a", has_text=name)
        answer = anas.request.get(link.get_attribute("href") or "")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]

    with anas.expect_request(f"{TRACKER}/picture.gif"):
        anas.get_by_role("button", name="Show", exact=True).click()
    expect(anas.locator(".blocked")).to_have_count(0)
    allowed = {f"{TRACKER}/{name}.gif" for name in ("picture", "bare")}  # the 1 × 1 pixel never
    assert {each.replace("https:", "http:") for each in asked if not each.startswith(stack.url)} <= allowed


def test_hostile_words_are_words_on_every_screen(stack: Stack, window: Window) -> None:
    name = f"Mallory {HOSTILE}"
    anas, mallory = window("ana", "/inbox/mine/"), somebody(stack, name)
    mallory.writes("email", f"Mail {HOSTILE}", subject=f"Subject {HOSTILE}")
    anas.goto("/inbox/open/")
    open_case(anas, name)
    assert HOSTILE in anas.title()
    anas.keyboard.press("i")
    expect(anas.locator("#case-head")).to_contain_text("Yours")
    anas.keyboard.press("n")
    anas.locator("#note-text").fill(f"Note {HOSTILE}")
    anas.keyboard.press("Control+Enter")
    expect(anas.locator("#timeline .note")).to_contain_text(HOSTILE)
    anas.locator("#reply-text").fill(f"Draft {HOSTILE}")
    expect(anas.locator("#saved")).to_contain_text("Saved")
    mallory.writes("sms", f"Text {HOSTILE} #48213")
    expect(card(anas)).to_contain_text(HOSTILE)
    assert anas.evaluate(PLANTED) == []

    anas.goto("/inbox/mine/")
    expect(row(anas, "Mallory")).to_contain_text("Draft:")
    mallory.writes("instagram", f"Message {HOSTILE}")
    expect(anas.locator("#toasts .toast")).to_contain_text(HOSTILE)
    expect(row(anas, "Mallory")).to_contain_text("on 3 channels")
    open_case(anas, name)
    for words in ("Mail", "Note", "Text", "Message"):
        expect(anas.locator("#timeline")).to_contain_text(f"{words} {HOSTILE}")
    assert anas.evaluate(PLANTED) == []

    receipt = quarantined(stack)
    adams = window("adam", "/customers/")
    for path, words in {
        f"/customers/?q={quote(HOSTILE)}": HOSTILE,
        f"/search/?q={quote(name)}": HOSTILE,
        "/alerts/": "",
        "/board/": "",
        "/board/cases/moved/": HOSTILE,
        "/quarantine/": "",
        f"/quarantine/{receipt}/": "onerror=alert(1)",
        "/inbox/open/": HOSTILE,
    }.items():
        adams.goto(path)
        expect(adams.locator("#main")).to_be_visible()
        if words:
            assert words in adams.locator("body").inner_text(), path
        assert adams.evaluate(PLANTED) == [], path
    adams.goto("/customers/")
    adams.locator("a.whole", has_text="Mallory").click()
    expect(adams.locator("h1")).to_have_text(name)
    assert adams.evaluate(PLANTED) == []
    anas.goto("/alerts/")
    expect(anas.locator("#alerts")).to_contain_text(name)
    assert anas.evaluate(PLANTED) == []


def quarantined(stack: Stack) -> int:
    """Posts something signed that nobody understands; the id of its receipt."""
    connector = next(each for each in stack.demo["connectors"] if each["kind"] == "instagram")
    item = {"sender": {"id": "1002003004005999"}, "message": HOSTILE}
    body = json.dumps({"object": "instagram", "entry": [{"id": connector["address"], "time": 1, "messaging": [item]}]})
    signature = hmac.new(connector["app_secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    ((before,),) = stack.rows("SELECT max(id) FROM connectors_receipt")
    answer = requests.post(connector["webhook_url"], data=body.encode(), headers=headers, timeout=10)
    assert answer.status_code == 200
    found = until(
        lambda: stack.rows(
            "SELECT max(r.id) FROM connectors_receipt r JOIN connectors_connector c ON c.id = r.connector_id "
            "WHERE r.state = 'quarantined' AND c.kind = 'instagram' AND r.id > %s",
            before or 0,
        )[0][0],
        "it is in quarantine",
    )
    return int(found)
