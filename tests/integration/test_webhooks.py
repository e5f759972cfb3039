"""What providers post: forged is refused and leaves nothing, genuine is stored before it is understood."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from twilio.request_validator import RequestValidator

from connectors.models import Connector, Receipt
from inbox.intake import replay, take_in
from inbox.models import Attachment, Case, Entry
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


def text_from(
    number: Connector, body: str, *, sid: str = "SM" + "1" * 32, token: str = "a-twilio-token", **more: str
) -> Any:
    fields = {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": make.ACCOUNT_SID,
        "From": "+14155552671",
        "To": number.address,
        "Body": body,
        "NumMedia": "0",
        **more,
    }
    signature = RequestValidator(token).compute_signature(number.webhook_url, fields)
    return Client().post(
        f"/hooks/{number.token}/",
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )


def direct_message(account: Connector, items: list[Any], *, secret: str = "appsecret123") -> Any:
    entry = {"id": account.address, "time": 1790000001250, "messaging": items}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Client().post(
        f"/hooks/{account.token}/",
        body,
        content_type="application/json",
        headers={"X-Hub-Signature-256": f"sha256={signature}"},
    )


def said(account: Connector, mid: str, text: str) -> dict[str, Any]:
    return {
        "sender": {"id": "1002003004005001"},
        "recipient": {"id": account.address},
        "timestamp": 1790000000987,
        "message": {"mid": mid, "text": text},
    }


def work() -> None:
    for pk in Receipt.objects.due().values_list("pk", flat=True):
        take_in(pk)


def test_a_signed_text_becomes_an_entry_and_is_answered_with_empty_twiml(number: Connector, maya: Any) -> None:
    answer = text_from(number, "Where is my order? 😀 ")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    assert answer.content.endswith(b"<Response />")
    work()
    assert Entry.objects.get(kind="message").text.startswith("Where is my order? 😀")


def test_a_secret_that_was_changed_this_very_second_counts(number: Connector) -> None:
    text_from(number, "Hello")  # so that the old one is at hand
    another = Connector.objects.get(pk=number.pk)
    another.credentials = {**another.credentials, "auth_token": "a-newer-token"}
    another.save(update_fields=["credentials"])
    assert text_from(number, "Still there?", sid="SM" + "2" * 32, token="a-newer-token").status_code == 200
    assert Receipt.objects.count() == 2


def test_a_webhook_asks_for_no_session_and_is_told_of_none(number: Connector) -> None:
    answer = text_from(number, "Hello")
    assert not answer.cookies
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in answer


def test_a_text_signed_with_another_token_is_refused_and_leaves_nothing(number: Connector) -> None:
    assert text_from(number, "hi", token="somebody-elses").status_code == 403
    assert not Receipt.objects.exists()
    number.refresh_from_db()
    assert number.forged_count == 1


def test_an_unsigned_direct_message_is_refused(account: Connector) -> None:
    answer = Client().post(f"/hooks/{account.token}/", b"{}", content_type="application/json")
    assert answer.status_code == 403
    assert not Receipt.objects.exists()


def test_an_unknown_token_is_not_found(account: Connector) -> None:
    assert Client().post("/hooks/nobody-knows-this/", b"{}", content_type="application/json").status_code == 404


def test_a_mailbox_has_no_webhook(mailbox: Connector) -> None:
    assert Client().post(f"/hooks/{mailbox.token}/", b"x", content_type="text/plain").status_code == 404


def test_a_replayed_webhook_is_one_receipt_and_one_entry(number: Connector, maya: Any) -> None:
    for _ in range(5):
        assert text_from(number, "hi").status_code == 200
    work()
    assert Receipt.objects.count() == 1
    assert Entry.objects.filter(kind="message").count() == 1


def test_the_same_message_in_other_bytes_is_still_one_entry(number: Connector, maya: Any) -> None:
    text_from(number, "hi")
    text_from(number, "hi", FromCity="SAN FRANCISCO")
    work()
    assert Receipt.objects.count() == 2
    assert Entry.objects.filter(kind="message").count() == 1


def test_one_bad_item_in_a_batch_is_quarantined_and_the_others_come_in(account: Connector, maya: Any) -> None:
    items = [said(account, "m1", "one"), {"sender": "nonsense", "message": 7}, said(account, "m2", "two")]
    assert direct_message(account, items).status_code == 200
    work()
    assert set(Entry.objects.filter(kind="message").values_list("text", flat=True)) == {"one", "two"}
    receipt = Receipt.objects.get()
    assert receipt.state == "quarantined"
    assert receipt.reason


def test_a_replayed_quarantined_batch_doubles_nothing(account: Connector, maya: Any, adam: Any) -> None:
    direct_message(account, [said(account, "m1", "one"), {"sender": "nonsense", "message": 7}])
    work()
    replay(Receipt.objects.get(), by=adam)
    assert Entry.objects.filter(kind="message").count() == 1


def test_an_item_for_an_account_we_do_not_know_is_answered_200_and_ignored(account: Connector) -> None:
    stranger = said(account, "m1", "hi") | {"recipient": {"id": "17841400000000009"}}
    assert direct_message(account, [stranger]).status_code == 200
    work()
    assert not Entry.objects.exists()
    assert Receipt.objects.get().outcomes[0]["outcome"] == "ignored"


def test_a_picture_that_cannot_be_fetched_does_not_delay_its_message(number: Connector, maya: Any) -> None:
    text_from(
        number,
        "look",
        NumMedia="1",
        MediaUrl0=f"https://api.twilio.com/2010-04-01/Accounts/{make.ACCOUNT_SID}/Messages/MM1/Media/ME1",
        MediaContentType0="image/jpeg",
    )
    work()
    assert Case.objects.get().preview == "look"
    assert Attachment.objects.get().state == "waiting"


def test_unsending_takes_the_words_and_leaves_that_something_was_said(account: Connector, maya: Any) -> None:
    direct_message(account, [said(account, "m1", "a secret")])
    gone = said(account, "m1", "") | {"message": {"mid": "m1", "is_deleted": True}}
    direct_message(account, [gone])
    work()
    entry = Entry.objects.get(kind="message")
    assert entry.text == ""
    assert entry.unsent_at
    assert "secret" not in Case.objects.get().preview


def test_the_instagram_handshake_answers_the_challenge_only_for_our_token(account: Connector) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verify-me"}
    answer = Client().get(f"/hooks/{account.token}/", query)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"].startswith("text/plain")
    assert Client().get(f"/hooks/{account.token}/", query | {"hub.verify_token": "x"}).status_code == 403


def test_a_late_status_never_moves_a_delivery_back(number: Connector, maya: Any, ana: Any) -> None:
    case = make.says(maya, number, "hi").case
    delivery = make.answers(ana, case, "hello").deliveries.get()
    for state in ("delivered", "sent", "queued"):
        fields = {
            "MessageSid": "SM" + "9" * 32,
            "MessageStatus": state,
            "AccountSid": make.ACCOUNT_SID,
            "From": number.address,
            "To": "+14155552671",
        }
        address = f"{number.webhook_url}?delivery={delivery.uuid}"
        Client().post(
            f"/hooks/{number.token}/?delivery={delivery.uuid}",
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": RequestValidator("a-twilio-token").compute_signature(address, fields)},
        )
    work()
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
