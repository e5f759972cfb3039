from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from connectors.adapters.email import addresses, charset, filename, parameters
from connectors.adapters.email.characters import one_line, storable
from connectors.adapters.email.headers import Headers, decode


def senders(value: str) -> list[tuple[str, str]]:
    return [(sender.name, sender.address) for sender in addresses.mailboxes(value)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?B?5rOo?= =?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "注€"),
        ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        ("=?utf-8?Q?a?= =?iso-8859-1?Q?=E4?=", "aä"),
        ("before =?utf-8?Q?a?=", "before a"),
        ("=?utf-8*en?Q?with_language?=", "with language"),
        ("=?x-unknown?B?aGk=?=", "hi"),
        ("=?utf-8?B?aGk?=", "hi"),
        ("=?utf-8?B?a?=", ""),
        ("=?utf-8?B?aG!k=?=", "hi"),
        ("=?base64?Q?x?= =?rot13?Q?y?=", "xy"),
        ("=?utf-8?Q?hello world?=", "hello world"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("Gr\udcfc\udcdfe", "Grüße"),
        ("Gr\udcc3\udcbc\udcc3\udc9fe", "Grüße"),
    ],
)
def test_encoded_words_and_raw_bytes_are_read(raw: str, text: str) -> None:
    assert decode(raw) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Maya <maya@ortiz.example>", [("Maya", "maya@ortiz.example")]),
        ("maya@ortiz.example (Maya Ortiz)", [("Maya Ortiz", "maya@ortiz.example")]),
        ("Smith, Bob <b@x.example>", [("Smith, Bob", "b@x.example")]),
        ('"Smith, Bob" <b@x.example>, c@y.example', [("Smith, Bob", "b@x.example"), ("", "c@y.example")]),
        ("=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <j@m.example>", [("Müller, Jörg", "j@m.example")]),
        ('" <stray@x.example>', [("", "stray@x.example")]),
        ("undisclosed-recipients:;", []),
        ("Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        ("<a@yahoo.example.>", [("", "a@yahoo.example")]),
        ("<<a@x.example>>", [("", "a@x.example")]),
        ("Bob < b @ x.example >", [("Bob", "b@x.example")]),
        ("<mailto:a@x.example>", [("", "a@x.example")]),
        ("<>", []),
        ('"我" <>', []),
        ('"a@good.example" <b@evil.example>', [("", "b@evil.example")]),
        ('"a@x.example" <a@x.example>', [("a@x.example", "a@x.example")]),
        ("=?utf-8?Q?a=40good.example?= <b@evil.example>", [("", "b@evil.example")]),
        ('"john doe" <"john.doe"@x.example>', [("john doe", "john.doe@x.example")]),
        ("a@b@c.example", [("", "b@c.example")]),
        ("a@münchen.example", [("", "a@münchen.example")]),
    ],
)
def test_mailboxes_are_found_the_tolerant_way(raw: str, expected: list[tuple[str, str]]) -> None:
    assert senders(raw) == expected


@pytest.mark.parametrize(
    ("fields", "address", "is_doubted"),
    [
        (["a@x.example"], "a@x.example", False),
        (["a@x.example <a@x.example>"], "a@x.example", False),
        (["a@good.example <b@evil.example>"], "b@evil.example", True),
        (["<a@good.example> <b@evil.example>"], "b@evil.example", True),
        (["a@good.example, b@evil.example"], "a@good.example", True),
        (["alice@example.org)bob@example.com"], "bob@example.com", True),
        (["a@x.example", "b@y.example"], "a@x.example", True),
        (["=?utf-8?Q?x=0D=0ABcc:_y?= <a@x.example>"], "a@x.example", True),
        (['"Bob (b@y.example)" <a@x.example>'], "a@x.example", False),
    ],
)
def test_an_ambiguous_from_is_never_believed(fields: list[str], address: str, is_doubted: bool) -> None:
    author = addresses.author(Headers([("From", field) for field in fields]))
    assert author is not None
    assert author.sender.address == address
    assert bool(author.doubt) is is_doubted


@pytest.mark.parametrize("value", ["", "<>", '"', "(((((((", "nobody", "@", "a@", "<@>", "undisclosed:;"])
def test_a_from_without_an_address_has_no_author(value: str) -> None:
    assert addresses.author(Headers([("From", value)])) is None


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@b>", ("a@b",)),
        ("<a@b> (comment) <c@d>\r\n\t<e@f>", ("a@b", "c@d", "e@f")),
        ("a@b", ("a@b",)),
        ("<[abc]@x>", ("[abc]@x",)),
        ("<>", ()),
        ("<@>", ("@",)),
        ("Your message of Monday", ()),
        ("", ()),
        ("<truncated@x", ()),
    ],
)
def test_message_ids_come_without_brackets(value: str, ids: tuple[str, ...]) -> None:
    assert Headers([("References", value)]).message_ids("references") == ids


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a b.pdf", "a b.pdf"),
        ('attachment; filename="=?utf-8?Q?=C3=A4.pdf?="', "ä.pdf"),
        ("attachment; filename*=utf-8''%C3%A4.pdf", "ä.pdf"),
        ("attachment; filename*0*=iso-8859-1''%E4; filename*1=\"b.pdf\"", "äb.pdf"),
        ('attachment; filename*1="b.pdf"; filename*0="a"', "ab.pdf"),
        ('attachment; filename="a;b.pdf"', "a;b.pdf"),
        ('attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
        ('attachment; filename="unclosed.pdf', "unclosed.pdf"),
        ("attachment; filename=\udcc3\udca4.pdf", "ä.pdf"),
        ("attachment", ""),
    ],
)
def test_file_name_parameters_are_read_in_every_dialect(raw: str, name: str) -> None:
    assert parameters.split(raw)[1].get("filename", "") == name


@pytest.mark.parametrize(
    ("raw", "kind", "clean"),
    [
        ("../../etc/passwd", "", "passwd"),
        ("..\\..\\boot.ini", "", "boot.ini"),
        ("a\u202efdp.exe", "", "afdp.exe"),
        ("\u200b.htaccess", "", "htaccess"),
        ("...", "", "file"),
        ("", "application/pdf", "file.pdf"),
        ("nul", "", "_nul"),
        ("a\x00b\r\n.txt", "", "a b .txt"),
        ("x" * 300 + ".pdf", "", "x" * 251 + ".pdf"),
        ("ü" * 300 + ".pdf", "", "ü" * 125 + ".pdf"),
        ("trailing. . ", "", "trailing"),
        ("<b>|?.txt", "", "_b___.txt"),
    ],
)
def test_hostile_file_names_are_cleaned(raw: str, kind: str, clean: str) -> None:
    assert filename.clean(raw, kind) == clean


@hypothesis(deadline=None)
@given(st.text(max_size=400))
def test_a_cleaned_file_name_is_always_safe(raw: str) -> None:
    name = filename.clean(raw)
    assert name
    assert len(name.encode()) <= 255
    assert not set(name) & set("/\\\x00\r\n\u202e")
    assert not name.startswith(".")
    assert name not in (".", "..")


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"caf\xe9", "us-ascii", "café"),
        ("café".encode(), "iso-8859-1", "café"),
        (b"\x93hi\x94", "latin1", "“hi”"),
        ("朱镕基".encode("gb18030"), "gb2312", "朱镕基"),
        ("가각힣".encode("cp949"), "ks_c_5601-1987", "가각힣"),
        ("①ｱ".encode("cp932"), "Shift_JIS", "①ｱ"),
        ("שלום".encode("iso8859-8"), "iso-8859-8-i", "שלום"),
        ("ไทย".encode("cp874"), "windows-874", "ไทย"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        ("注文".encode("iso2022_jp"), "", "注文"),
        (b"\xef\xbb\xbfhi", "utf-8", "hi"),
        (b"hi", "base64", "hi"),
        (b"hi", "idna", "hi"),
        (b"hi", "undefined", "hi"),
        (b"hi", "x" * 5000, "hi"),
        (b"costs 5 \x80 \x81", "cp1252", "costs 5 € \ufffd"),
        (b"+ADw-b+AD4-", "unicode-1-1-utf-7", "<b>"),
        ("é".encode("utf-16"), '"UTF-16";', "é"),
        (b"abc", "utf-16", "abc"),
    ],
)
def test_a_charset_means_what_senders_mean_by_it(data: bytes, label: str, text: str) -> None:
    assert charset.decode(data, label) == text


def test_a_body_without_a_charset_is_recognised_by_its_content() -> None:
    russian = "Здравствуйте, где мой заказ? Я жду его уже две недели, и никто не отвечает."
    assert charset.decode(russian.encode("cp1251")) == russian


@hypothesis(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20))
def test_decoding_never_raises_and_never_leaves_a_lone_surrogate(data: bytes, label: str) -> None:
    storable(charset.decode(data, label, detect=False)).encode()


@hypothesis(deadline=None)
@given(st.text(max_size=300))
def test_a_header_value_is_one_line_that_can_be_stored(value: str) -> None:
    line = one_line(decode(value))
    line.encode()
    assert not set(line) & set("\r\n\x00\u202e\x85\u2028")


@hypothesis(deadline=None)
@given(st.text(max_size=300))
def test_looking_for_addresses_never_raises(value: str) -> None:
    for sender in addresses.mailboxes(value):
        assert "@" in sender.address
        assert not set(sender.address) & set("\r\n \x00<>")
    parameters.split(value)
