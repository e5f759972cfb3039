"""Mails a server cannot describe or hand over: told of, and nobody behind them waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from connectors.adapters.email import imap
from connectors.adapters.email.imap import Mailbox, RawMail
from connectors.errors import ConnectionLost
from tests.payloads.email.letters import mail, message
from tests.payloads.email.servers import Scripted
from tests.unit.test_email_imap import account

pytestmark = pytest.mark.usefixtures("loopback")
Script = Callable[[str], list[bytes]]
Describe = Callable[[list[int]], list[bytes]]

META = b'FLAGS () RFC822.SIZE 99 INTERNALDATE "22-Nov-2025 09:30:00 +0000")'
GOOD = mail("Subject: good")
BROKEN = "The mail server could not hand over this mail. It is still in the mailbox."


def plainly(uids: list[int]) -> list[bytes]:
    return [*(b"* 1 FETCH (UID %d " % uid + META for uid in uids), b"%s OK done"]


def unless(said: bytes) -> Describe:
    """Describes all but UID 3."""
    return lambda uids: [said] if 3 in uids else plainly(uids)


def folder(*uids: int, described: Describe = plainly, **of_3: list[bytes]) -> Script:
    """A folder with these mails. `of_3`: what the server says when asked for the `body` or the `flags` of UID 3."""

    def answer(command: str) -> list[bytes]:
        if command.startswith("EXAMINE"):
            return [b"* OK [UIDVALIDITY 7] x", b"%s OK done"]
        if command.startswith("UID SEARCH"):
            return [b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids), b"%s OK done"]
        if not command.startswith("UID FETCH"):
            return []
        asked = [int(uid) for uid in command.split()[2].split(",")]
        if "RFC822.SIZE" in command:
            return described(asked)
        what = "body" if "BODY.PEEK[]" in command else "header" if "HEADER" in command else "flags"
        if asked == [3] and what in of_3:
            return of_3[what]
        if what == "flags":
            return [*(b"* 1 FETCH (UID %d FLAGS ())" % uid for uid in asked), b"%s OK done"]
        section, said = (b"BODY[]", GOOD) if what == "body" else (b"BODY[HEADER]<0>", GOOD.removesuffix(b"Hi\n"))
        return [b"* 2 FETCH (UID %d %s {%d}" % (asked[0], section, len(said)), said + b")", b"%s OK done"]

    return answer


@pytest.fixture
def read(scripted: Callable[[Script], Scripted]) -> Callable[[Script], list[RawMail]]:
    def all_of(script: Script) -> list[RawMail]:
        with Mailbox.open(account(scripted(script).port)) as mailbox:
            mailbox.select()
            return list(mailbox.fetch(0))

    return all_of


Read = Callable[[Script], list[RawMail]]


@pytest.mark.parametrize("word", [b"%s NO cannot say", b"%s BAD cannot say"])
def test_a_mail_the_server_cannot_describe_does_not_hold_up_the_others(read: Read, word: bytes) -> None:
    before, broken, after = read(folder(2, 3, 5, described=unless(word)))
    assert (before.uid, broken.uid, after.uid) == (2, 3, 5)
    assert (before.raw, broken.raw, after.raw) == (GOOD, None, GOOD)
    assert (message(broken.body).subject, message(broken.body).text) == ("good", BROKEN)
    assert after.internaldate == datetime(2025, 11, 22, 9, 30, tzinfo=UTC)


def test_a_server_that_dies_of_describing_a_mail_names_it_in_the_end(scripted: Callable[[Script], Scripted]) -> None:
    server = scripted(folder(2, 3, 5, described=unless(b"HANG UP")))
    given_up: list[int] = []

    def walk() -> list[RawMail]:
        found: list[RawMail] = []
        with Mailbox.open(account(server.port)) as mailbox:
            mailbox.select()
            try:
                found += mailbox.fetch(0, given_up=given_up)
            except ConnectionLost:
                given_up.append(mailbox.fetching)
        return found

    walk()
    walk()
    assert [(each.uid, each.raw) for each in walk()] == [(2, GOOD), (3, None), (5, GOOD)]
    assert given_up == [imap.LISTING, 3]


EMPTY = {
    "nothing": [b"%s OK done"],
    "empty": [b'* 1 FETCH (UID 3 BODY[] "")', b"%s OK done"],
    "nil": [b"* 1 FETCH (UID 3 BODY[] NIL)", b"%s OK done"],
    "no bytes": [b"* 1 FETCH (UID 3 BODY[] {0}", b")", b"%s OK done"],
}


@pytest.mark.parametrize("told", EMPTY.values(), ids=EMPTY)
def test_a_mail_that_stays_and_is_handed_over_empty_is_told_of(read: Read, told: list[bytes]) -> None:
    broken, fine = read(folder(3, 4, body=told))
    assert (broken.uid, broken.raw, fine.uid) == (3, None, 4)
    assert message(broken.body).text == BROKEN


@pytest.mark.parametrize("flags", [[], [b"* 1 FETCH (UID 3 FLAGS (\\Deleted))"], [b"* 1 FETCH (FLAGS (\\Seen))"]])
@pytest.mark.parametrize("told", [EMPTY["empty"], [b"%s NO gone"]])
def test_a_mail_that_goes_while_it_is_fetched_leaves_nothing(read: Read, told: list[bytes], flags: list[bytes]) -> None:
    found = read(folder(3, 4, body=told, flags=[*flags, b"%s OK done"]))
    assert [each.uid for each in found] == [4]


def test_a_mail_of_which_not_even_the_flags_are_told_is_told_of(read: Read) -> None:
    broken, fine = read(folder(3, 4, body=[b"%s NO cannot say"], flags=[b"%s NO cannot say"]))
    assert (broken.uid, broken.raw, fine.uid) == (3, None, 4)


def test_what_came_with_a_refusal_is_not_taken_for_the_next_answer(read: Read) -> None:
    half = [b"* 1 FETCH (UID 3 BODY[] {4}", b"half)", b"%s NO the rest is damaged"]
    broken, fine = read(folder(3, 4, body=half, header=half))
    assert (broken.uid, broken.raw) == (3, None)
    assert b"half" not in broken.body
    assert (fine.uid, fine.raw) == (4, GOOD)


@pytest.mark.parametrize(("flags", "uids"), [(b"()", [3, 4]), (b"(\\Deleted)", [4])])
def test_a_mail_whose_size_the_server_does_not_know_is_told_of_unless_it_is_deleted(
    read: Read, flags: bytes, uids: list[int]
) -> None:
    without_size = b"* 1 FETCH (UID 3 FLAGS " + flags + b")"
    script = folder(3, 4, described=lambda _: [without_size, *plainly([4])], flags=[without_size, b"%s OK done"])
    found = read(script)
    assert [each.uid for each in found] == uids
    assert [each.raw for each in found] == [None if uid == 3 else GOOD for uid in uids]


def test_a_mail_that_went_before_it_was_described_leaves_nothing(read: Read) -> None:
    found = read(folder(3, 4, described=lambda _: plainly([4]), flags=[b"%s OK done"]))
    assert [each.uid for each in found] == [4]
