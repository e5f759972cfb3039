"""Every shape of Instagram's webhooks, from the files in tests/payloads/instagram."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from connectors.adapters.instagram import InstagramAdapter
from connectors.messages import (
    Account,
    Attachment,
    Authenticity,
    Classification,
    Echo,
    Edit,
    Ignored,
    InboundMessage,
    Item,
    Malformed,
    RawInput,
    Reaction,
    Read,
    Sender,
    Unsend,
)

PAYLOADS = Path(__file__).parent.parent / "payloads" / "instagram"
OURS = "17841405793187218"
HER = Sender("1002003004005006", scope=OURS)
NOW = datetime(2026, 9, 30, tzinfo=UTC)
SENT_AT = datetime.fromtimestamp(1790000000.987, UTC)


def parse_body(body: bytes) -> list[Item]:
    return InstagramAdapter().parse(RawInput(body, {}, NOW, Account("1", (OURS,))))


def parse(name: str) -> list[Item]:
    return parse_body((PAYLOADS / f"{name}.json").read_bytes())


def message(name: str) -> InboundMessage:
    (found,) = parse(name)
    assert isinstance(found, InboundMessage)
    return found


def look(asset: int) -> str:
    return f"https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={asset}&signature=AbCd"


def test_a_text_is_a_message_from_a_person() -> None:
    assert message("text") == InboundMessage(
        provider_id="aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDA1NzkzMTg3MjE4",
        sender=HER,
        recipient=OURS,
        text="Grüße! Hi, is the red one back in stock? 🙏",
        sent_at=SENT_AT,
        authenticity=Authenticity.PASS,
    )


@pytest.mark.parametrize(
    ("name", "text", "files"),
    [
        ("image", "Look at this", [("image/jpeg", 1)]),
        ("images", "", [("image/jpeg", 2), ("image/jpeg", 3)]),
        ("video", "", [("video/mp4", 4)]),
        ("audio", "", [("audio/mp4", 5)]),
        ("file", "", [("application/octet-stream", 6)]),
        ("sticker", "", [("image/png", 7)]),
    ],
)
def test_files_are_attachments_to_fetch(name: str, text: str, files: list[tuple[str, int]]) -> None:
    found = message(name)
    assert found.text == text
    assert found.attachments == tuple(Attachment(content_type=kind, url=look(asset)) for kind, asset in files)


@pytest.mark.parametrize(
    ("name", "remark", "asset"),
    [
        ("post", "Shared a post: Summer sale", 8),
        ("share", "Shared a post", 9),
        ("share_and_post", "Shared a post: Summer sale", 8),
        ("reel", "Shared a reel: How it is made", 10),
    ],
)
def test_a_share_is_one_file_and_says_what_it_is(name: str, remark: str, asset: int) -> None:
    found = message(name)
    assert (found.remark, found.text) == (remark, "")
    assert [attachment.url for attachment in found.attachments] == [look(asset)]


@pytest.mark.parametrize(
    ("name", "link"),
    [("reel_link", "https://www.instagram.com/reel/Abc/"), ("facebook_reel", "https://www.facebook.com/reel/1203")],
)
def test_a_share_that_is_only_a_page_is_shown_as_its_link(name: str, link: str) -> None:
    found = message(name)
    assert (found.text, found.attachments) == (link, ())
    assert found.remark.startswith("Shared a reel: ")


@pytest.mark.parametrize(
    ("name", "remark", "asset"),
    [
        ("story_mention", "Mentioned you in their story", 11),
        ("story", "Shared a story", 12),
        ("story_reply", "Replied to your story", 13),
    ],
)
def test_a_story_is_linked_and_never_kept(name: str, remark: str, asset: int) -> None:
    found = message(name)
    assert found.remark == remark
    assert found.attachments == (Attachment(url=look(asset), keep=False),)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ephemeral", "[A photo or video that can be seen once. Open Instagram to see it.]"),
        ("unsupported", "[A message of a kind Instagram does not hand out. Open Instagram to see it.]"),
        ("attachment_without_payload", "[A photo. Open Instagram to see it.]"),
        ("empty", "[An empty message. Open Instagram to see it.]"),
        ("template", "Red runner\nBlue runner"),
        ("template_empty", "[A card or a shared comment. Open Instagram to see it.]"),
        (
            "unknown_attachment",
            "[Something of a new kind, “hologram”. Open Instagram to see it.] https://example.com/h",
        ),
    ],
)
def test_what_cannot_be_shown_leaves_a_visible_line(name: str, text: str) -> None:
    found = message(name)
    assert (found.text, found.attachments) == (text, ())


def test_a_reply_names_the_message_it_answers() -> None:
    assert message("reply").in_reply_to == "m_prev"


def test_what_we_wrote_elsewhere_is_an_echo() -> None:
    assert parse("echo") == [
        Echo("m_out1", OURS, HER, "Back on Friday!", sent_at=datetime.fromtimestamp(1790000002, UTC))
    ]
    (echo,) = parse("echo_image")
    assert isinstance(echo, Echo)
    assert (echo.text, [attachment.url for attachment in echo.attachments]) == ("", [look(14)])


def test_an_unsend_names_the_message_and_our_account_whoever_took_it_back() -> None:
    assert parse("unsend") == [Unsend("m2", OURS)]
    assert parse("echo_unsend") == [Unsend("m_out1", OURS)]


def test_reactions_show_their_emoji_and_none_when_taken_back() -> None:
    at = datetime.fromtimestamp(1790000003, UTC)
    assert parse("reaction") == [Reaction("m_out1", OURS, HER, "❤️", at)]
    assert parse("reaction_named") == [Reaction("m_out1", OURS, HER, "😆", at)]
    assert parse("unreact") == [Reaction("m_out1", OURS, HER, "", datetime.fromtimestamp(1790000004, UTC))]


def test_seen_names_the_message_that_was_seen() -> None:
    assert parse("read") == [Read("m_out1", OURS, HER)]


def test_a_tapped_button_is_a_message_even_when_the_entry_has_the_wrong_id() -> None:
    found = message("postback")
    assert (found.provider_id, found.text, found.sender, found.recipient) == ("m_pb", "Talk to an agent", HER, OURS)
    assert found.remark == "Tapped a button · Came by the link “qr-07”"
    assert found.classification is Classification.PERSON


def test_a_quick_reply_is_its_text() -> None:
    assert (message("quick_reply").text, message("quick_reply").remark) == ("Red", "Tapped a quick reply")


def test_opening_the_chat_by_a_link_is_no_message_of_a_person() -> None:
    found = message("referral")
    assert (found.text, found.remark) == ("", "Came by the link “qr-07”")
    assert found.classification is Classification.AUTOMATIC
    assert found.provider_id == f"referral:{OURS}:{HER.address}:1790000007000"


def test_where_somebody_came_from_is_said_in_words() -> None:
    assert message("referral_ad").remark == "Came from the ad “Summer”"
    assert (message("referral_product").remark, message("referral_product").text) == ("Asked about product 4242", "")


def test_an_edit_has_its_number_and_new_text() -> None:
    assert parse("edit") == [Edit("m1", OURS, "new text", 2)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("edit_announcing_a_new_message", "edit announcement"),
        ("thread_control", "pass_thread_control"),
        ("optin", "optin"),
        ("self_message", "self message"),
        ("self_postback", "self message"),
        ("dashboard_test", "dashboard test"),
        ("flat_field", "comments"),
        ("comment", "comments"),
        ("page_object", "other object"),
    ],
)
def test_what_is_understood_and_of_no_interest_is_ignored_by_name(name: str, kind: str) -> None:
    (found,) = parse(name)
    assert isinstance(found, Ignored)
    assert found.kind == kind
    assert found.reason.endswith(".")


def test_a_message_in_standby_says_that_another_app_is_in_charge() -> None:
    assert (message("standby").text, message("standby").remark) == ("hello?", "Another app is in charge of this thread")


def test_the_same_items_may_come_as_changes() -> None:
    text, reaction, control = parse("changes")
    assert isinstance(text, InboundMessage)
    assert isinstance(reaction, Reaction)
    assert isinstance(control, Ignored)
    assert text.text == "by changes"


def test_an_envelope_in_a_list_is_the_envelope() -> None:
    assert parse("top_level_list") == parse("text")


def test_two_accounts_in_one_request_each_get_theirs_in_order() -> None:
    found = parse("two_accounts")
    assert [(item.recipient, item.text) for item in found if isinstance(item, InboundMessage)] == [
        (OURS, "one"),
        (OURS, "two"),
        ("17841405793187999", "three"),
    ]
    assert isinstance(found[2], InboundMessage)
    assert found[2].sender.scope == "17841405793187999"


@pytest.mark.parametrize(
    ("name", "seconds"), [("string_timestamp", 1790000000.987), ("seconds_timestamp", 1790000000.0)]
)
def test_times_are_read_as_text_and_as_seconds(name: str, seconds: float) -> None:
    assert message(name).sent_at == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("timestamp", [None, "soon", -5, 10**15, 10**400, True, [], 1.5])
def test_a_time_that_makes_no_sense_costs_only_the_time(timestamp: Any) -> None:
    document = json.loads((PAYLOADS / "text.json").read_bytes())
    document["entry"][0]["messaging"][0]["timestamp"] = timestamp
    (found,) = parse_body(json.dumps(document).encode())
    assert isinstance(found, InboundMessage)
    assert found.sent_at is None or found.sent_at.year > 3000


def test_a_poison_item_is_set_aside_and_the_others_go_on() -> None:
    found = parse("poison_in_a_batch")
    assert [type(item) for item in found] == [InboundMessage, *[Malformed] * 4, InboundMessage]
    reasons = [item.reason for item in found if isinstance(item, Malformed)]
    assert reasons == [
        "Its “message” is not an object.",
        "It names no message id.",
        "It is of a kind we do not know: surprise.",
        "One of its items is not an object.",
    ]
    assert all(item.excerpt for item in found if isinstance(item, Malformed))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b"1",
        b'"x"',
        b"{}",
        b'{"object":"instagram"}',
        b'{"entry":7}',
        b'{"entry":[7]}',
        b'{"entry":[{}]}',
        b'{"entry":[{"messaging":{}}]}',
        b'{"entry":[{"changes":7}]}',
        b'{"entry":[{"changes":[7]}]}',
        b'{"entry":[{"changes":[{"field":"new","value":{}}]}]}',
        b'{"entry":[{"messaging":[{}]}]}',
        b'{"entry":[{"messaging":[{"message":{"mid":"m"}}]}]}',
    ],
)
def test_a_broken_body_is_set_aside_with_a_reason(body: bytes) -> None:
    (found,) = parse_body(body)
    assert isinstance(found, Malformed)
    assert found.reason.endswith(".")
    assert "\0" not in found.excerpt


@pytest.mark.parametrize("body", [b"[]", b'{"entry":[]}', b'{"entry":[{"id":"1","messaging":[]}]}'])
def test_a_body_with_nothing_in_it_is_ignored(body: bytes) -> None:
    (found,) = parse_body(body)
    assert isinstance(found, Ignored)


def test_half_an_emoji_and_nul_never_reach_the_database() -> None:
    document = json.loads((PAYLOADS / "text.json").read_bytes())
    document["entry"][0]["messaging"][0]["message"]["text"] = "a\ud83d\0b"
    (found,) = parse_body(json.dumps(document).encode())
    assert isinstance(found, InboundMessage)
    assert found.text == "a\ufffdb"


def test_a_share_from_the_configured_far_end_is_a_file(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS = True
    settings.GRAPH_API_URL = "http://127.0.0.1:8100"
    document = json.loads((PAYLOADS / "share.json").read_bytes())
    url = "http://127.0.0.1:8100/ig_messaging_cdn/?asset_id=1"
    document["entry"][0]["messaging"][0]["message"]["attachments"][0]["payload"]["url"] = url
    (found,) = parse_body(json.dumps(document).encode())
    assert isinstance(found, InboundMessage)
    assert [attachment.url for attachment in found.attachments] == [url]


def test_every_payload_file_is_understood() -> None:
    for file in PAYLOADS.glob("*.json"):
        found = parse(file.stem)
        assert found, file.name
        if file.stem != "poison_in_a_batch":
            assert not any(isinstance(item, Malformed) for item in found), file.name


ITEM_KEYS = [
    "sender",
    "recipient",
    "id",
    "timestamp",
    "message",
    "reaction",
    "read",
    "postback",
    "message_edit",
    "referral",
]
MESSAGE_KEYS = ["mid", "text", "attachments", "reply_to", "story", "is_echo", "is_deleted", "num_edit", "quick_reply"]
PAYLOAD_KEYS = [
    "type",
    "payload",
    "url",
    "generic",
    "elements",
    "title",
    "action",
    "emoji",
    "ads_context_data",
    "product",
]
KEYS = st.sampled_from([*ITEM_KEYS, *MESSAGE_KEYS, *PAYLOAD_KEYS])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["image", "share"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_no_item_makes_the_parser_raise(item: dict[str, Any]) -> None:
    for place in ({"messaging": [item]}, {"standby": [item]}, {"changes": [{"field": "messages", "value": item}]}):
        (found,) = parse_body(json.dumps({"entry": [{"id": OURS, **place}]}).encode())
        assert not isinstance(found, InboundMessage) or found.provider_id


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_body_makes_the_parser_raise(body: bytes) -> None:
    assert parse_body(body)
