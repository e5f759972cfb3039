"""Files that came in: what they are is seen by their bytes, they are handed out safely, and trouble with one of them
never touches its message."""

from __future__ import annotations

import os
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils.timezone import now

from connectors.adapters import ADAPTERS
from connectors.errors import FetchFailed
from connectors.messages import Attachment as File
from connectors.messages import Channel
from inbox import outbox
from inbox.intake import files
from inbox.intake.outcomes import TryLater
from inbox.models import Attachment, Draft, Entry, FileState
from tests import make
from tests.unit.test_media import PNG

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shelf(settings: Any, tmp_path: Path) -> Path:
    """Where files are kept, empty at first."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    return tmp_path


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], File]], None]:
    """`provider(answer)`: what Instagram does when it is asked for a file."""

    def behaves(answer: Callable[[], File]) -> None:
        monkeypatch.setattr(type(ADAPTERS[Channel("instagram")]), "fetch_media", lambda *_: answer())

    return behaves


def refusing(*, permanent: bool = False) -> Callable[[], File]:
    def fetch() -> File:
        raise FetchFailed("The file is no longer there.", permanent=permanent)

    return fetch


def a_picture() -> File:
    return File(name="a.png", content_type="image/png", content=PNG)


def sends(maya: Any, connector: Any, *found: File) -> Entry:
    return make.says(maya, connector, "look", files=found)


LINK = File(name="a.png", content_type="image/png", url="https://lookaside.fbsbx.com/x")


def only() -> Attachment:
    return Attachment.objects.get()


def fetch_until_it_ends() -> None:
    for _ in range(20):
        Attachment.objects.update(next_attempt_at=now())
        if not files.fetch_files():
            return
    raise AssertionError("it never ends")


# What it is


@pytest.mark.parametrize(
    ("declared", "content", "kind"),
    [
        ("image/png", b"<html><script>alert(1)</script>", "text/html"),
        ("image/png", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
        ("application/pdf", PNG, "image/png"),
        ("text/plain", b"hello", "text/plain"),
    ],
)
def test_a_mailed_file_is_what_its_bytes_are_not_what_it_claims(
    declared: str, content: bytes, kind: str, maya: Any, mailbox: Any
) -> None:
    sends(maya, mailbox, File(name="a.png", content_type=declared, content=content))
    assert (only().content_type, only().is_image) == (kind, kind == "image/png")


def test_neither_name_nor_type_touches_the_disk(maya: Any, mailbox: Any, shelf: Path) -> None:
    sends(maya, mailbox, File(name="../../evil.html", content_type="text/html", content=b"<html>"))
    stored = [place for place in shelf.rglob("*") if place.is_file()]
    assert [str(place.relative_to(shelf)) for place in stored] == [only().key]
    assert files.OURS.fullmatch(stored[0].name)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\photo.png", "photo.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("a\x00\r\nb.png", "a b.png"),
        ("...", "file.png"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
    ],
)
def test_a_name_is_only_a_name(given: str, shown: str, maya: Any, account: Any) -> None:
    sends(maya, account, File(name=given, content_type="image/png", content=PNG))
    assert only().name == shown


# Handing it out


def handed_out(browser: Client) -> Any:
    link = browser.get(f"/attachments/{only().uuid}/")["Location"]
    return Client().get(link)  # without any cookie


def test_a_picture_is_shown_and_cannot_do_anything(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    sends(maya, mailbox, File(name="a.png", content_type="image/png", content=PNG))
    answer = handed_out(browser_of(ana))
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"<svg/>", b"%PDF-1.7 x", b"MZ"])
def test_everything_else_is_saved_and_never_opened(
    content: bytes, maya: Any, mailbox: Any, ana: Any, browser_of: Any
) -> None:
    sends(maya, mailbox, File(name='a"\r\nb.html', content_type="image/svg+xml", content=content))
    answer = handed_out(browser_of(ana))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_file_that_is_not_ready_is_not_handed_out(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    sends(maya, mailbox, File(name="a.png", content=PNG))
    link = browser_of(ana).get(f"/attachments/{only().uuid}/")["Location"]
    Attachment.objects.update(state=FileState.WAITING)
    assert Client().get(link).status_code == 404
    assert browser_of(ana).get(f"/attachments/{only().uuid}/").status_code == 404


# Fetching it


def test_a_fetched_file_is_announced_on_the_case_it_is_read_in(
    maya: Any, account: Any, provider: Any, heard: list[dict[str, Any]]
) -> None:
    said = sends(maya, account, LINK)
    provider(a_picture)
    heard.clear()
    files.fetch_files()
    assert (only().state, only().size) == (FileState.STORED, len(PNG))
    assert [(frame["case"], frame["entry"]) for frame in heard] == [(said.case_id, said.pk)]


def test_a_fetch_that_fails_again_and_again_ends_in_words(maya: Any, account: Any, provider: Any) -> None:
    sends(maya, account, LINK)
    provider(refusing())
    fetch_until_it_ends()
    assert (only().state, only().reason) == (FileState.FAILED, "The file is no longer there.")


def test_a_fetch_that_crashes_ends_too(maya: Any, account: Any, provider: Any) -> None:
    sends(maya, account, LINK)
    provider(lambda: 1 / 0)
    fetch_until_it_ends()
    assert (only().state, only().reason) == (FileState.FAILED, "Something broke while it was being fetched.")


def test_a_fetch_that_takes_its_worker_with_it_ends_too(maya: Any, account: Any, monkeypatch: Any) -> None:
    sends(maya, account, LINK)

    def killed(row: Attachment) -> None:
        raise SystemExit

    monkeypatch.setattr(files, "_get_ready", killed)
    for _ in range(files.MOST_ATTEMPTS):
        Attachment.objects.update(next_attempt_at=now())
        with pytest.raises(SystemExit):
            files.fetch_files()
    Attachment.objects.update(next_attempt_at=now())
    files.fetch_files()
    assert (only().state, only().reason) == (FileState.FAILED, "Each try broke off.")


def test_one_broken_file_does_not_hold_up_the_others(maya: Any, account: Any, provider: Any) -> None:
    sends(maya, account, LINK, LINK)
    answers: list[Callable[[], File]] = [lambda: 1 / 0, a_picture]  # type: ignore[list-item,return-value]
    provider(lambda: answers.pop(0)())
    assert files.fetch_files() == 2
    assert set(Attachment.objects.values_list("state", flat=True)) == {FileState.WAITING, FileState.STORED}


def test_an_agent_can_have_a_failed_file_fetched_again(
    maya: Any, account: Any, ana: Any, provider: Any, browser_of: Any
) -> None:
    said = sends(maya, account, LINK)
    provider(refusing(permanent=True))
    files.fetch_files()
    browser = browser_of(ana)
    page = browser.get(f"/inbox/open/c/{said.case_id}/").content.decode()
    assert f"/attachments/{only().uuid}/again/" in page
    provider(a_picture)
    answer = browser.post(f"/attachments/{only().uuid}/again/")
    assert "being fetched again" in answer["HX-Trigger"]
    files.fetch_files()
    assert only().state == FileState.STORED


def test_a_file_without_a_source_has_no_button(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    said = sends(maya, mailbox, File(name="a.png", content=PNG))
    Attachment.objects.update(state=FileState.FAILED, key="", reason="It was thrown away.")
    browser = browser_of(ana)
    assert "/again/" not in browser.get(f"/inbox/open/c/{said.case_id}/").content.decode()
    assert "nothing left" in browser.post(f"/attachments/{only().uuid}/again/")["HX-Trigger"]


# What nobody needs any more


def age(place: Path) -> None:
    at = (now() - timedelta(hours=2)).timestamp()
    os.utime(place, (at, at))


def test_bytes_of_a_rolled_back_message_are_cleared_away(maya: Any, mailbox: Any, shelf: Path) -> None:
    with transaction.atomic():
        sends(maya, mailbox, File(name="a.png", content=PNG))
        transaction.set_rollback(True)
    stray = next(place for place in shelf.rglob("*") if place.is_file())
    assert files.clear_strays(int(stray.parent.name, 16)) == 0, "a transaction may still be open"
    age(stray)
    assert files.clear_strays(int(stray.parent.name, 16)) == 1
    assert not stray.exists()


def test_clearing_away_spares_what_has_a_row_and_what_is_not_ours(maya: Any, mailbox: Any, shelf: Path) -> None:
    sends(maya, mailbox, File(name="a.png", content=PNG))
    folder = only().key.split("/")[0]
    default_storage.save(f"{folder}/pg_control", ContentFile(b"not ours"))
    for place in (shelf / folder).iterdir():
        age(place)
    assert sum(files.clear_strays(number) for number in range(files.FOLDERS)) == 0
    assert default_storage.exists(only().key)


def test_a_dropped_upload_is_gone_from_the_disk(maya: Any, mailbox: Any, ana: Any, browser_of: Any) -> None:
    case = make.says(maya, mailbox, "hi").case
    draft = Draft.objects.create(case=case, agent=ana, channel="email")
    row = Attachment(draft=draft, uploaded_by=ana, name="a.png")
    files.store(row, PNG)
    row.save()
    browser_of(ana).post(f"/cases/{case.pk}/draft/files/{row.pk}/drop/")
    assert not default_storage.exists(row.key)


def test_a_full_disk_is_not_the_messages_fault(maya: Any, mailbox: Any, monkeypatch: Any) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "save", full)
    with pytest.raises(TryLater):
        sends(maya, mailbox, File(name="a.png", content=PNG))
    assert not Entry.objects.exists()


def test_an_upload_that_cannot_be_stored_is_said_in_words(
    maya: Any, mailbox: Any, ana: Any, browser_of: Any, monkeypatch: Any
) -> None:
    case = make.says(maya, mailbox, "hi").case

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "save", full)
    upload = {"channel": "email", "file": SimpleUploadedFile("a.png", PNG)}
    answer = browser_of(ana).post(f"/cases/{case.pk}/draft/files/", upload)
    assert "Try again in a minute" in answer.content.decode()
    assert not Draft.objects.exists()


def test_any_storage_will_do(maya: Any, mailbox: Any, ana: Any, browser_of: Any, settings: Any) -> None:
    """Nothing but the storage's own words is used, so that a bucket can take the folder's place."""
    elsewhere = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": elsewhere}
    sends(maya, mailbox, File(name="a.png", content=PNG))
    assert b"".join(handed_out(browser_of(ana)).streaming_content) == PNG
    assert sum(files.clear_strays(number) for number in range(files.FOLDERS)) == 0
    key = only().key
    files.forget(Attachment.objects.all())
    assert not default_storage.exists(key)


# Viruses


class Clamd(socketserver.StreamRequestHandler):
    """The far end of INSTREAM, as clamd(8) describes it."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
        self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0" if b"EICAR" in content else b"stream: OK\0")


@pytest.fixture
def scanner(settings: Any) -> Iterator[None]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clamd) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        settings.CLAMD = f"127.0.0.1:{server.server_address[1]}"
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("scanner")
def test_with_a_scanner_a_mailed_file_waits_until_it_was_looked_into(maya: Any, mailbox: Any) -> None:
    said = sends(maya, mailbox, File(name="a.png", content=PNG))
    assert said.text == "look"
    assert only().state == FileState.WAITING
    files.fetch_files()
    assert only().state == FileState.STORED


@pytest.mark.usefixtures("scanner")
def test_a_file_with_a_virus_is_thrown_away_and_its_message_stays(maya: Any, mailbox: Any, shelf: Path) -> None:
    said = sends(maya, mailbox, File(name="a.exe", content=b"X5O!EICAR" * 20_000))
    files.fetch_files()
    assert (only().state, only().key, only().may_be_fetched_again) == (FileState.FAILED, "", False)
    assert "Eicar-Test-Signature" in only().reason
    assert not [place for place in shelf.rglob("*") if place.is_file()]
    assert Entry.objects.filter(pk=said.pk, text="look").exists()


@pytest.mark.usefixtures("scanner")
def test_a_fetched_file_with_a_virus_is_never_kept(maya: Any, account: Any, provider: Any, shelf: Path) -> None:
    sends(maya, account, LINK)
    provider(lambda: File(name="a.png", content_type="image/png", content=b"EICAR"))
    files.fetch_files()
    assert only().state == FileState.FAILED
    assert not [place for place in shelf.rglob("*") if place.is_file()]


def test_a_scanner_that_does_not_answer_lets_nothing_through(maya: Any, mailbox: Any, settings: Any) -> None:
    settings.CLAMD = "127.0.0.1:9"
    sends(maya, mailbox, File(name="a.png", content=PNG))
    fetch_until_it_ends()
    assert (only().state, only().reason) == (FileState.FAILED, "The virus scanner does not answer.")
    assert only().may_be_fetched_again, "once the scanner is back"


class Hanging:
    """Instagram's servers, which keep whoever asks until they are let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Semaphore(0), threading.Event()

    def __call__(self) -> File:
        self.asked.release()
        assert self.let_go.wait(20)
        return a_picture()


def workers(*files_of: Attachment) -> list[Future[bool]]:
    def work(pk: int) -> bool:
        try:
            return files.fetch_file(pk)
        finally:
            connection.close()

    pool = ThreadPoolExecutor(len(files_of))
    return [pool.submit(work, each.pk) for each in files_of]


def test_of_a_provider_that_hangs_two_files_are_asked_for_at_once_and_no_more(
    maya: Any, account: Any, number: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(files, "wake", lambda task, pk: woken.append(pk))
    sends(maya, account, *[LINK] * 4)
    provider(hanging := Hanging())
    monkeypatch.setattr(type(ADAPTERS[Channel.SMS]), "fetch_media", lambda *_: a_picture())
    four = list(Attachment.objects.order_by("pk"))
    working = workers(*four)
    free = list(islice(as_completed(working, 20), 2))
    assert [each.result() for each in free] == [False, False]
    assert all(hanging.asked.acquire(timeout=20) for _ in range(2))
    assert not hanging.asked.acquire(blocking=False)

    by_text = sends(maya, number, File(content_type="image/png", url="https://api.twilio.com/x"))
    assert files.fetch_file(by_text.attachments.get().pk)  # nobody else waits for it
    woken.clear()
    hanging.let_go.set()
    wait(working, 20)
    assert sum(each.result() for each in working) == 2
    assert len(woken) == 2  # whoever is done sees to the next one
    assert [each.attempts for each in Attachment.objects.filter(pk__in=woken)] == [0] * len(set(woken))
    assert files.fetch_files() == 2
    assert set(Attachment.objects.values_list("state", flat=True)) == {FileState.STORED}


def test_files_that_are_tried_again_later_are_not_being_asked_for(maya: Any, account: Any, provider: Any) -> None:
    sends(maya, account, *[LINK] * 4)
    provider(refusing())
    assert files.fetch_files() == 4
    provider(a_picture)
    Attachment.objects.update(next_attempt_at=now())
    assert files.fetch_files() == 4


# What a channel does not take


OGG = b"OggS\0\2" + bytes(22) + b"\1vorbis"


def attach(browser: Any, case: Any, channel: str, name: str, content: bytes, content_type: str) -> Any:
    upload = SimpleUploadedFile(name, content, content_type=content_type)
    return browser.post(f"/cases/{case.pk}/draft/files/", {"channel": channel, "file": upload})


def test_a_file_the_channel_does_not_take_is_refused_when_it_is_attached(
    maya: Any, account: Any, ana: Any, browser_of: Any, shelf: Path
) -> None:
    case, browser = make.says(maya, account, "hi").case, browser_of(ana)
    answer = attach(browser, case, "instagram", "voice.ogg", OGG, "audio/ogg")
    assert answer.status_code == 422
    assert "Instagram takes pictures (PNG, JPEG, GIF)" in answer.content.decode()
    assert not Attachment.objects.exists()
    assert not [place for place in shelf.rglob("*") if place.is_file()]
    assert attach(browser, case, "instagram", "a.png", PNG, "image/png").status_code == 200


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_other_channels_take_it(maya: Any, mailbox: Any, number: Any, ana: Any, browser_of: Any, channel: str) -> None:
    case = make.says(maya, mailbox, "hi").case
    assert attach(browser_of(ana), case, channel, "voice.ogg", OGG, "audio/ogg").status_code == 200


def test_a_file_attached_for_another_channel_is_refused_before_anything_leaves(
    maya: Any, mailbox: Any, account: Any, ana: Any, browser_of: Any
) -> None:
    make.says(maya, account, "hi")
    case = make.says(maya, mailbox, "hi").case
    assert case is not None
    attach(browser_of(ana), case, "email", "voice.ogg", OGG, "audio/ogg")
    with pytest.raises(outbox.BadReply) as refused:
        make.answers(ana, case, "Listen", channel="instagram", files=[only().pk])
    assert refused.value.field == "files"
    assert refused.value.words.endswith("not voice.ogg. Send it by email.")
    assert not Entry.objects.filter(kind="reply").exists()
    assert make.answers(ana, case, "Listen", channel="email", files=[only().pk]).attachments.count() == 1
