"""security.md A07 and A08: files are fetched from where they should be, or not at all."""

from __future__ import annotations

import base64
import datetime
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from connectors.adapters import media
from connectors.adapters.instagram import InstagramAdapter
from connectors.adapters.twilio import TwilioAdapter
from connectors.errors import FetchFailed
from connectors.messages import Account, Attachment

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class FarEnd:
    """A server on a free port of 127.0.0.1 that answers by path and remembers what it was asked."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            end.asked.append((self.path, dict(self.headers)))
            status, headers, body = end.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    end = FarEnd(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield end
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def private(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS = True


@pytest.fixture
def public_only(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_HOSTS = False


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """resolves("93.184.216.34", …): what the name server answers from now on; returns the names it was asked for."""

    def answer(*addresses: str) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(
            host: str, port: int, *_: object, **__: object
        ) -> list[tuple[int, int, int, str, tuple[str, int]]]:
            found = (host,) if host in addresses else addresses  # an address is its own answer
            if host not in addresses:
                asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(media.socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


@pytest.fixture
def never_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(requests.Session, "send", connect)


def refused(url: str, *hosts: str) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        media.fetch(url, hosts=hosts or ("api.twilio.com", "*.fbsbx.com"))
    return caught.value


@pytest.mark.usefixtures("private")
def test_a_file_comes_with_its_bytes_type_and_name(far_end: FarEnd) -> None:
    far_end.answers["/a?b=1"] = (200, {"Content-Type": "text/html"}, PNG)
    file = media.fetch(far_end.url("/a?b=1#there"), hosts=("127.0.0.1",), declared_type="image/jpeg")
    assert file == media.File(PNG, "image/png", "image.png")
    assert far_end.asked[0][1]["Host"] == f"127.0.0.1:{far_end.port}"


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('inline; filename="order 4711.png"', "order 4711.png"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\x.png"', "x.png"),
        ("attachment; filename*=UTF-8''%2E%2E%2Fgr%C3%BC%C3%9Fe.png", "grüße.png"),
        ('attachment; filename="a\u202egnp.exe"', "agnp.exe"),
        ('attachment; filename=".."', "image.png"),
        ("attachment", "image.png"),
    ],
)
def test_a_name_is_reduced_to_a_plain_file_name(far_end: FarEnd, disposition: str, name: str) -> None:
    header = disposition.encode().decode("latin-1") if not disposition.isascii() else disposition
    far_end.answers["/a"] = (200, {"Content-Disposition": header}, PNG)
    found = media.fetch(far_end.url("/a"), hosts=("127.0.0.1",)).name
    assert found == name or (not disposition.isascii() and found.isprintable() and "\u202e" not in found)


@pytest.mark.usefixtures("public_only", "never_connects")
@pytest.mark.parametrize(
    "url",
    [
        "http://api.twilio.com/x",
        "ftp://api.twilio.com/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "//api.twilio.com/x",
        "https://",
        "https://api.twilio.com:port/x",
        "https://[::1/x",
        "https://evil.example/x",
        "https://api.twilio.com.evil.example/x",
        "https://evilfbsbx.com/x",
        "https://fbsbx.com/x",
        "https://user:pass@api.twilio.com/x",
        "https://api.twilio.com@evil.example/x",
        "https://api.twilio.com\\@evil.example/x",
        "https://api.twilio.com\n.evil.example/x",
        "https://api.twilio.com/a b",
        "https://аpi.twilio.com/x",  # a Cyrillic а
        "",
        "nonsense",
    ],
)
def test_an_address_that_is_not_the_providers_is_never_called(url: str, resolves: Callable[..., list[str]]) -> None:
    asked = resolves("93.184.216.34")
    assert refused(url).permanent
    assert asked == []


@pytest.mark.usefixtures("public_only", "never_connects")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "0177.0.0.1", "localhost"]
)
def test_our_own_machine_is_refused_however_it_is_spelt(host: str) -> None:
    assert "private network" in refused(f"https://{host}/x", host.strip("[]")).reason


@pytest.mark.usefixtures("public_only", "never_connects")
@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("192.168.1.1",),
        ("172.16.0.1",),
        ("169.254.169.254",),
        ("100.64.0.1",),
        ("0.0.0.0",),
        ("224.0.0.1",),
        ("255.255.255.255",),
        ("::1",),
        ("fe80::1",),
        ("fd00::1",),
        ("ff02::1",),
        ("::ffff:10.0.0.1",),
        ("2002:7f00:1::",),
        ("64:ff9b::a9fe:a9fe",),
        ("93.184.216.34", "10.0.0.1"),
    ],
)
def test_a_name_that_points_into_a_private_network_is_refused(
    addresses: tuple[str, ...], resolves: Callable[..., list[str]]
) -> None:
    resolves(*addresses)
    assert "private network" in refused("https://api.twilio.com/x").reason


def test_public_addresses_are_public() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"):
        assert media.is_public(address), address


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_ipv6_is_as_private_as_it_was(address: object) -> None:
    plain = media.is_public(str(address))
    assert media.is_public(f"::ffff:{address}") == plain
    assert media.is_public(str(ip_address(int(ip_address("64:ff9b::")) + int(ip_address(str(address)))))) == plain


@pytest.mark.usefixtures("private")
def test_the_name_is_resolved_once_and_the_connection_goes_there(
    far_end: FarEnd, resolves: Callable[..., list[str]]
) -> None:
    """A second answer of the name server, the trick of DNS rebinding, is never asked for."""
    asked = resolves("127.0.0.1")
    far_end.answers["/a"] = (200, {}, PNG)
    assert media.fetch(far_end.url("/a", "cdn.example.test"), hosts=("cdn.example.test",)).content == PNG
    assert asked == ["cdn.example.test"]
    assert far_end.asked[0][1]["Host"] == f"cdn.example.test:{far_end.port}"


@pytest.mark.usefixtures("private")
def test_a_redirect_to_a_host_that_is_not_on_the_list_is_not_followed(far_end: FarEnd) -> None:
    far_end.answers["/a"] = (302, {"Location": far_end.url("/b", "localhost")}, b"")
    assert "localhost is not one of" in refused(far_end.url("/a"), "127.0.0.1").reason
    assert far_end.paths() == ["/a"]


@pytest.mark.usefixtures("public_only")
def test_every_redirect_is_resolved_and_checked_again(
    monkeypatch: pytest.MonkeyPatch, resolves: Callable[..., list[str]]
) -> None:
    def answer(self: requests.Session, url: str, **_: object) -> requests.Response:
        response = requests.Response()
        response.status_code = 302
        response.headers["Location"] = "https://lookaside.fbsbx.com/b"
        resolves("10.0.0.7")
        return response

    resolves("93.184.216.34")
    monkeypatch.setattr(requests.Session, "get", answer)
    assert "private network" in refused("https://lookaside.fbsbx.com/a").reason


@pytest.mark.usefixtures("private")
def test_credentials_go_to_the_first_host_and_never_to_another(far_end: FarEnd) -> None:
    far_end.answers["/a"] = (307, {"Location": "/same"}, b"")
    far_end.answers["/same"] = (302, {"Location": far_end.url("/other", "localhost")}, b"")
    far_end.answers["/other"] = (302, {"Location": far_end.url("/back")}, b"")
    far_end.answers["/back"] = (200, {}, PNG)
    media.fetch(far_end.url("/a"), hosts=("127.0.0.1", "localhost"), credentials=("AC1", "token"))
    sent = [(path, "Authorization" in headers) for path, headers in far_end.asked]
    assert sent == [("/a", True), ("/same", True), ("/other", False), ("/back", False)]


@pytest.mark.usefixtures("private")
def test_another_port_is_another_host_to_credentials(far_end: FarEnd, unused_tcp_port: int) -> None:
    first, second = media.origin_of(far_end.url("/a")), media.origin_of(f"http://127.0.0.1:{unused_tcp_port}/a")
    assert first != second
    assert media.origin_of("https://a.example/") == media.origin_of("https://A.example:443/b")


@pytest.mark.usefixtures("private")
def test_a_netrc_of_the_machine_adds_nothing(far_end: FarEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    far_end.answers["/a"] = (200, {}, PNG)
    media.fetch(far_end.url("/a"), hosts=("127.0.0.1",))
    assert "Authorization" not in far_end.asked[0][1]


@pytest.mark.usefixtures("private")
def test_an_address_that_keeps_pointing_elsewhere_is_given_up(far_end: FarEnd) -> None:
    far_end.answers["/a"] = (302, {"Location": "/a"}, b"")
    assert refused(far_end.url("/a"), "127.0.0.1").permanent
    assert len(far_end.asked) == media.MAX_REDIRECTS + 1


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410])
def test_a_refusal_is_final(far_end: FarEnd, status: int) -> None:
    far_end.answers["/a"] = (status, {}, b"")
    assert refused(far_end.url("/a"), "127.0.0.1").permanent


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_worth_another_try(far_end: FarEnd, status: int) -> None:
    far_end.answers["/a"] = (status, {}, b"")
    assert not refused(far_end.url("/a"), "127.0.0.1").permanent


@pytest.mark.usefixtures("private")
def test_a_host_that_is_away_is_worth_another_try(unused_tcp_port: int) -> None:
    assert not refused(f"http://127.0.0.1:{unused_tcp_port}/a", "127.0.0.1").permanent


@pytest.mark.usefixtures("private")
def test_a_file_cut_short_is_worth_another_try(far_end: FarEnd) -> None:
    far_end.answers["/a"] = (200, {"Content-Length": "500", "Connection": "close"}, PNG)
    assert not refused(far_end.url("/a"), "127.0.0.1").permanent


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("length", ["", "2000"])
def test_a_file_that_is_too_large_is_not_read_to_its_end(far_end: FarEnd, length: str) -> None:
    far_end.answers["/a"] = (200, {"Content-Length": length}, b"x" * 2_000)
    with pytest.raises(FetchFailed, match="larger than") as caught:
        media.fetch(far_end.url("/a"), hosts=("127.0.0.1",), max_bytes=1_999)
    assert caught.value.permanent


@pytest.mark.usefixtures("private")
def test_a_packed_answer_is_refused_because_it_could_be_a_bomb(far_end: FarEnd) -> None:
    far_end.answers["/a"] = (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b")
    assert "packed" in refused(far_end.url("/a"), "127.0.0.1").reason
    assert far_end.asked[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.usefixtures("private")
def test_a_far_end_that_dribbles_is_left_after_a_while(far_end: FarEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    far_end.answers["/a"] = (200, {}, PNG)
    monkeypatch.setattr(media, "TOTAL_SECONDS", -1)
    assert not refused(far_end.url("/a"), "127.0.0.1").permanent


@pytest.mark.parametrize(
    ("content", "declared", "content_type"),
    [
        (PNG, "", "image/png"),
        (PNG, "text/plain", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\0" * 40, "image/png", "image/jpeg"),
        (b"\xff\xd8\xff\xdb" + b"\1" * 40, "", "image/jpeg"),
        (b"GIF89a\x01\x00\x01\x00" + b"\0" * 20, "", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 24, "", "image/webp"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 40, "", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4" + b"\0" * 40, "", "video/3gpp"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0" * 40, "", "audio/mp4"),
        (b"#!AMR\n" + b"\1" * 20, "", "audio/amr"),
        (b"OggS\0\2" + b"\0" * 40, "", "audio/ogg"),
        (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 24, "", "audio/wav"),
        (b"\xff\xf1\x50\x80" + b"\1" * 20, "audio/aac", "audio/aac"),
        (b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "image/png", "application/pdf"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n", "text/x-vcard", "text/vcard"),
        (b"<!DOCTYPE html><html></html>", "image/png", "text/html"),
        (b"  <html><body>hi</body></html>", "image/jpeg", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/png", "image/svg+xml"),
        (b"Hello there, this is text", "text/plain; charset=utf-8", "text/plain"),
        (b"Hello there, this is text", "image/png", "application/octet-stream"),
        (b"\1\2\3\4\5\6\7", "video/mp4", "application/octet-stream"),
        (b"with a nul \0", "text/plain", "application/octet-stream"),
        (b"", "image/png", "application/octet-stream"),
    ],
)
def test_the_type_is_what_the_bytes_say(content: bytes, declared: str, content_type: str) -> None:
    assert media.sniff(content, declared) == content_type


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_make_the_sniffer_raise(content: bytes, declared: str) -> None:
    assert media.sniff(content, declared)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a self-signed certificate for cdn.example.test, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cdn.example.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("cdn.example.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize(("host", "is_trusted"), [("cdn.example.test", True), ("api.example.test", False)])
def test_a_pinned_connection_still_has_to_prove_the_name(certificate: Path, host: str, is_trusted: bool) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, _: names.append(name)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", media.PinnedAdapter("127.0.0.1", host))
            url = f"https://{host}:{server.server_address[1]}/"
            if is_trusted:
                assert session.get(url, verify=str(certificate), timeout=5).status_code == 204
            else:
                with pytest.raises(requests.exceptions.SSLError):
                    session.get(url, verify=str(certificate), timeout=5)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert names == [host]


# What the adapters make of it

ACCOUNT_SID = "AC" + "a" * 32
TEXTS = Account("1", ("+15551239999",), secrets={"account_sid": ACCOUNT_SID, "auth_token": "token"})
MEDIA = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media/ME1"


@pytest.fixture
def far_end_is_twilio(far_end: FarEnd, settings: Settings) -> FarEnd:
    settings.ALLOW_PRIVATE_HOSTS = True
    settings.TWILIO_API_URL = far_end.url("")
    return far_end


def test_a_picture_of_twilios_is_fetched_with_the_accounts_credentials(far_end_is_twilio: FarEnd) -> None:
    far_end_is_twilio.answers[MEDIA] = (307, {"Location": "/cdn"}, b"")
    far_end_is_twilio.answers["/cdn"] = (200, {"Content-Type": "image/jpeg"}, PNG)
    attachment = Attachment(content_type="image/jpeg", url=far_end_is_twilio.url(MEDIA))
    found = TwilioAdapter().fetch_media(TEXTS, attachment)
    assert (found.content, found.content_type, found.name) == (PNG, "image/png", "image.png")
    expected = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:token".encode()).decode()
    assert far_end_is_twilio.asked[0][1]["Authorization"] == expected


def test_a_picture_that_is_not_there_yet_is_worth_another_try(far_end_is_twilio: FarEnd) -> None:
    with pytest.raises(FetchFailed) as caught:
        TwilioAdapter().fetch_media(TEXTS, Attachment(url=far_end_is_twilio.url(MEDIA)))
    assert not caught.value.permanent


@pytest.mark.usefixtures("never_connects")
@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example{MEDIA}",
        f"https://media.twiliocdn.com{MEDIA}",
        "https://api.twilio.com/2010-04-01/Accounts/ACother/Messages/MM1/Media/ME1",
        f"https://api.twilio.com/2010-04-01/?x=/{ACCOUNT_SID}/",
        "",
    ],
)
def test_credentials_never_go_to_an_address_that_is_not_the_accounts(settings: Settings, url: str) -> None:
    settings.TWILIO_API_URL = "https://api.twilio.com"
    with pytest.raises(FetchFailed) as caught:
        TwilioAdapter().fetch_media(TEXTS, Attachment(url=url))
    assert caught.value.permanent


@pytest.fixture
def far_end_is_meta(far_end: FarEnd, settings: Settings) -> FarEnd:
    settings.ALLOW_PRIVATE_HOSTS = True
    settings.GRAPH_API_URL = far_end.url("")
    return far_end


def test_a_picture_of_instagrams_is_fetched_without_credentials(far_end_is_meta: FarEnd) -> None:
    far_end_is_meta.answers["/ig_messaging_cdn/?asset_id=1"] = (200, {}, PNG)
    attachment = Attachment(content_type="image/jpeg", url=far_end_is_meta.url("/ig_messaging_cdn/?asset_id=1"))
    found = InstagramAdapter().fetch_media(Account("1", ("178",), {"access_token": "t"}), attachment)
    assert (found.content, found.content_type) == (PNG, "image/png")
    assert "Authorization" not in far_end_is_meta.asked[0][1]


def test_a_page_in_place_of_a_file_is_not_kept(far_end_is_meta: FarEnd) -> None:
    far_end_is_meta.answers["/a"] = (200, {"Content-Type": "text/html"}, b"<!doctype html><p>Log in")
    with pytest.raises(FetchFailed, match="page"):
        InstagramAdapter().fetch_media(Account("1", ()), Attachment(url=far_end_is_meta.url("/a")))


def test_a_story_that_is_gone_and_a_story_at_all_are_not_fetched(far_end_is_meta: FarEnd) -> None:
    with pytest.raises(FetchFailed, match="no longer there"):
        InstagramAdapter().fetch_media(Account("1", ()), Attachment(url=far_end_is_meta.url("/gone")))
    with pytest.raises(FetchFailed, match="stories") as caught:
        InstagramAdapter().fetch_media(Account("1", ()), Attachment(url=far_end_is_meta.url("/a"), keep=False))
    assert caught.value.permanent
    assert far_end_is_meta.paths() == ["/gone"]


@pytest.mark.usefixtures("public_only", "never_connects")
def test_the_far_ends_own_host_is_no_place_for_files_in_production(settings: Settings) -> None:
    settings.GRAPH_API_URL = "https://graph.instagram.com"
    with pytest.raises(FetchFailed):
        InstagramAdapter().fetch_media(Account("1", ()), Attachment(url="https://graph.instagram.com/x"))
